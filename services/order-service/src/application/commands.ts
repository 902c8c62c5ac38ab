/** An order to post a board, as it came in: its texts are not checked yet. */
export interface CreateBoard {
  readonly title: string;
  readonly content: string;
  readonly author: string | null;
  /** W3C trace context of the request. */
  readonly traceparent: string | null;
}
