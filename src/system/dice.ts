import { randomUUID } from 'node:crypto';
import { v1 } from 'uuid';

/** Chance, injected. */
export interface Dice {
  /** A version-1 UUID in lower case: the id of a version (design: wire contract). */
  versionId(): string;
  /** A random UUID in lower case: a client's transition id. */
  clientId(): string;
}

export const realDice: Dice = {
  versionId: () => v1(),
  clientId: () => randomUUID(),
};
