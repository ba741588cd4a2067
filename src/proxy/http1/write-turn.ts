/**
 * Sends at the end of the event loop's turn what was gathered in it. A write to a peer that sleeps wakes it up at once, on a
 * busy machine in our place; when all reads of a turn are worked through first, each peer is woken once and finds several
 * messages. That saves more than any change to what is written.
 */

/** Something with bytes to send. */
export interface Sender {
  /** Sends what has been gathered, at once. */
  sendNow(): void;
}

/** So many are sent without waiting for the turn's end: a turn with thousands of reads must not keep the first answer waiting. */
const SENDERS_MAX = 64;

export class WriteTurn {
  #senders: Sender[] = [];
  #spare: Sender[] = [];
  #scheduled = false;
  readonly #end = (): void => {
    this.#scheduled = false;
    this.#sendAll();
  };

  /** The sender has something to send; it must not be added twice before it has been asked to. */
  add(sender: Sender): void {
    this.#senders.push(sender);
    if (this.#senders.length >= SENDERS_MAX) this.#sendAll();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#end);
    }
  }

  #sendAll(): void {
    const senders = this.#senders;
    this.#senders = this.#spare;
    for (const sender of senders) sender.sendNow();
    senders.length = 0;
    this.#spare = senders;
  }
}
