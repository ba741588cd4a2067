/** Why the state can't be used at all; found at start. The message is one line for people. */
export class StateFault extends Error {
  /** `in-use`: another Cutover holds it. `unusable`: the place or what stands there is wrong. */
  readonly kind: 'in-use' | 'unusable';

  constructor(kind: 'in-use' | 'unusable', message: string) {
    super(message);
    this.kind = kind;
  }
}
