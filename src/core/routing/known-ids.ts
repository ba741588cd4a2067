/**
 * The ids of a chain, found where they stand in the text of a head: nothing is cut out of it, and what is found is the very string that
 * the chain has, which is quicker to compare and to look up than a copy.
 */
import { UUID_LENGTH } from './uuid.ts';

/** Of these many places one is taken, at most. */
const ROOM = 4;

export class KnownIds {
  /** By `placeOf`, each at the first free place from there. */
  readonly #slots: (string | undefined)[];

  constructor(ids: readonly string[]) {
    let size = ROOM;
    while (size < ids.length * ROOM) size *= 2;
    this.#slots = new Array<string | undefined>(size).fill(undefined);
    for (const id of ids) {
      if (id.length === UUID_LENGTH) this.#slots[this.#placeOf(id, 0)] = id;
    }
  }

  /** The id that stands at `from`, or undefined: none of these, or not written as it is here. */
  at(text: string, from: number): string | undefined {
    return this.#slots[this.#placeOf(text, from)];
  }

  /** Where the text at `from` stands, or would stand. */
  #placeOf(text: string, from: number): number {
    const last = this.#slots.length - 1;
    // Ids of one machine differ in their first digits, which are those of the time.
    let hash = 0;
    for (let i = from; i < from + 8; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    let place = (hash ^ (hash >>> 15)) & last;
    for (let id = this.#slots[place]; id !== undefined && !text.startsWith(id, from); id = this.#slots[place]) {
      place = (place + 1) & last;
    }
    return place;
  }
}
