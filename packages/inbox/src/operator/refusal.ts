/** Undoes the transaction that it is thrown in, and says why to the verb that opened it. */
export class Refusal<Outcome> extends Error {
  override readonly name = 'Refusal';
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super('refused');
    this.outcome = outcome;
  }
}
