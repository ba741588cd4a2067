/**
 * The body of one request, kept as long as it could be sent again. It holds either everything from the first byte on
 * (`whole`) or nothing: a body with a hole is worth nothing to a replay.
 */
import type { FieldLines } from '../core/http/fields.ts';
import type { BufferBudget } from './buffer-budget.ts';

/** What bytes are gathered in: at first a little, then as much again as there is, at most this. */
const CHUNK_BYTES_MIN = 1024;
const CHUNK_BYTES_MAX = 64 * 1024;

/** What a body is given again to. */
interface BodySink {
  body(bytes: Buffer, from: number, to: number): boolean;
  end(trailers: FieldLines | null): void;
}

export class KeptBody {
  readonly #budget: Pick<BufferBudget, 'take' | 'give'>;
  /** Full ones, and the one that is being filled. */
  #chunks: Buffer[] = [];
  /** How much of the last chunk is filled. */
  #filled = 0;
  #bytes = 0;
  #whole = true;
  #ended = false;
  #trailers: FieldLines | null = null;

  constructor(budget: Pick<BufferBudget, 'take' | 'give'>) {
    this.#budget = budget;
  }

  /** True while everything that has come so far is here. */
  get whole(): boolean {
    return this.#whole;
  }

  /** True once the request has ended, whether it is still kept or not. */
  get ended(): boolean {
    return this.#ended;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Keeps a copy of lent bytes. Drops everything when the process has no room left. */
  add(bytes: Buffer, from: number, to: number): void {
    if (!this.#whole) return;
    if (!this.#budget.take(to - from)) {
      this.drop();
      return;
    }
    this.#bytes += to - from;
    while (from < to) {
      let chunk = this.#chunks.at(-1);
      if (chunk === undefined || this.#filled === chunk.length) {
        const wanted = Math.max(CHUNK_BYTES_MIN, to - from, this.#bytes);
        chunk = Buffer.allocUnsafeSlow(Math.min(wanted, CHUNK_BYTES_MAX));
        this.#chunks.push(chunk);
        this.#filled = 0;
      }
      const count = bytes.copy(chunk, this.#filled, from, to);
      this.#filled += count;
      from += count;
    }
  }

  end(trailers: FieldLines | null): void {
    this.#ended = true;
    // Lent, and a version that is asked beside others may be reached after the exchange is over.
    this.#trailers = trailers?.copy() ?? null;
  }

  /** Gives the whole body again, and its end when it has come. */
  giveTo(sink: BodySink): void {
    const last = this.#chunks.length - 1;
    for (const [index, chunk] of this.#chunks.entries())
      sink.body(chunk, 0, index === last ? this.#filled : chunk.length);
    if (this.#ended) sink.end(this.#trailers);
  }

  /** Lets go of the bytes: this request will not be sent again. */
  drop(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
    this.#chunks = [];
    this.#filled = 0;
    this.#whole = false;
  }
}

/** The body of a request that has none: whole and ended, and the same for all. */
class NoBody extends KeptBody {
  constructor() {
    super({ take: () => false, give: () => {} });
    this.end(null);
  }

  override add(): void {}

  override drop(): void {}
}

export const NO_BODY: KeptBody = new NoBody();
