/**
 * The body of one request, kept as long as it could be sent again. It holds either everything from the first byte on
 * (`whole`) or nothing: a body with a hole is worth nothing to a replay.
 */
import type { FieldLines } from '../core/http/fields.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { BufferPool } from './buffer-pool.ts';
import { KeptBytes } from './kept-bytes.ts';

/** What a body is given again to. */
interface BodySink {
  body(bytes: Buffer, from: number, to: number): boolean;
  end(trailers: FieldLines | null): void;
}

export class KeptBody {
  readonly #budget: Pick<BufferBudget, 'take' | 'give'>;
  readonly #kept: KeptBytes;
  #whole = true;
  #ended = false;
  #trailers: FieldLines | null = null;

  constructor(budget: Pick<BufferBudget, 'take' | 'give'>, pool: Pick<BufferPool, 'take' | 'give'>) {
    this.#budget = budget;
    this.#kept = new KeptBytes(pool);
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
    return this.#kept.bytes;
  }

  /** Keeps a copy of lent bytes. Drops everything when the process has no room left. */
  add(bytes: Buffer, from: number, to: number): void {
    if (!this.#whole) return;
    if (this.#budget.take(to - from)) this.#kept.add(bytes, from, to);
    else this.drop();
  }

  end(trailers: FieldLines | null): void {
    this.#ended = true;
    // Lent, and a version that is asked beside others may be reached after the exchange is over.
    this.#trailers = trailers?.copy() ?? null;
  }

  /** Gives the whole body again, and its end when it has come. */
  giveTo(sink: BodySink): void {
    if (this.#kept.bytes > 0) this.#kept.giveTo((bytes, from, to) => sink.body(bytes, from, to));
    if (this.#ended) sink.end(this.#trailers);
  }

  /** Lets go of the bytes: this request will not be sent again. */
  drop(): void {
    this.#budget.give(this.#kept.bytes);
    this.#kept.clear();
    this.#whole = false;
  }
}

/** The body of a request that has none: whole and ended, and the same for all. */
class NoBody extends KeptBody {
  constructor() {
    const nothing = {
      take: (): never => {
        throw new Error('A request without a body has nothing to keep');
      },
      give: () => {},
    };
    super(nothing, nothing);
    this.end(null);
  }

  override add(): void {}

  override drop(): void {}
}

export const NO_BODY: KeptBody = new NoBody();
