/**
 * Milliseconds since the epoch by the database's clock, as SQL: the one clock that all instances share. By UTC, because a
 * session's time zone repeats an hour once a year.
 */
export const databaseNowMs = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)";
