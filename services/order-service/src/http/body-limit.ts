/** 65,536 bytes of content fit even when each one is escaped as six (`\u0041`). */
export const bodyLimitBytes = 448 * 1024;
