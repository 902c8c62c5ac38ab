/** Whose marks: a consumer group and the one kind of aggregate that its source topic carries. */
export interface Consumer {
  readonly group: string;
  readonly aggregateType: string;
}
