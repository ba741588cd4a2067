/**
 * What is kept of an answer to compare it by: its status, chosen headers, the length of its body and a hash of it, taken while it
 * passes. Nothing of the body is kept, unless parts of it are to be left out: then up to `BODY_BYTES_MAX` of it, as long as the
 * process has room; a longer one is not compared.
 */
import type { FieldLines } from '../http/fields.ts';
import type { ResponseHead } from '../http/message.ts';
import { StreamHash } from './hash.ts';
import { withoutParts } from './json-path.ts';
import type { ReadyRules } from './rules.ts';

/** The longest body of which parts can be left out. */
const BODY_BYTES_MAX = 64 * 1024;
/** What leaving out parts of one body may cost: some 20 ms at worst. */
const STEPS_MAX = 2_000_000;
const FIRST_BYTES = 4096;

/** Where room for kept bytes is taken and given back. */
export interface Room {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** Why a body could not be compared. */
export type Unread = 'too large' | 'no room' | 'encoded' | 'too complex';

export interface AnswerPrint {
  readonly status: number;
  /** By name in lower case, several values of one name joined. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, without its framing. */
  readonly length: number;
  /** `whole`: every byte counts. `parts`: what was left after the rules. */
  readonly body:
    | { readonly kind: 'whole' | 'parts'; readonly hash: string }
    | { readonly kind: 'unread'; readonly why: Unread };
}

export class AnswerDigest {
  readonly #rules: ReadyRules;
  readonly #room: Room;
  readonly #hash = new StreamHash();
  #status = 0;
  #headers: ReadonlyMap<string, string> = new Map();
  #length = 0;
  #isJson = false;
  /** The body's bytes, where parts of it are to be left out. */
  #kept: Buffer | null = null;
  #unread: Unread | null = null;

  constructor(rules: ReadyRules, room: Room) {
    this.#rules = rules;
    this.#room = room;
  }

  /** @param head is not kept */
  head(head: ResponseHead): void {
    const { paths, patterns } = this.#rules;
    this.#status = head.status;
    this.#headers = chosenHeaders(head.fields, this.#rules);
    if (head.framing === 'none') return;
    this.#isJson = paths.length > 0 && /\bjson\b/i.test(head.fields.get('content-type') ?? '');
    if (!this.#isJson && patterns.length === 0) return;
    const encoding = head.fields.get('content-encoding') ?? 'identity';
    if (encoding.toLowerCase() !== 'identity') this.#unread = 'encoded';
    else if (head.length > BODY_BYTES_MAX) this.#unread = 'too large';
    else this.#kept = Buffer.alloc(0);
  }

  /** @param bytes lent until the call returns */
  body(bytes: Buffer, from: number, to: number): void {
    if (this.#kept !== null) this.#keep(this.#kept, bytes.subarray(from, to));
    else if (this.#unread === null) this.#hash.update(bytes, from, to);
    this.#length += to - from;
  }

  /** The answer is whole. Lets go of what was kept. */
  end(): AnswerPrint {
    const kept = this.#kept;
    const rest = kept === null ? null : this.#rest(kept.toString('utf8', 0, this.#length));
    this.drop();
    if (rest !== null) this.#hash.update(rest, 0, rest.length);
    const hash = this.#hash.text();
    return {
      status: this.#status,
      headers: this.#headers,
      length: this.#length,
      body:
        this.#unread === null
          ? { kind: kept === null ? 'whole' : 'parts', hash }
          : { kind: 'unread', why: this.#unread },
    };
  }

  /** Lets go of what was kept: the answer came to nothing, or is not needed any more. */
  drop(): void {
    if (this.#kept !== null) this.#room.give(this.#kept.length);
    this.#kept = null;
  }

  /** One buffer that doubles, so that many small pieces cost no more than few large ones. */
  #keep(kept: Buffer, piece: Uint8Array): void {
    const wanted = this.#length + piece.length;
    if (wanted > BODY_BYTES_MAX) {
      this.#giveUp('too large');
      return;
    }
    let buffer = kept;
    if (wanted > kept.length) {
      const size = Math.min(BODY_BYTES_MAX, Math.max(FIRST_BYTES, wanted, kept.length * 2));
      if (!this.#room.take(size - kept.length)) {
        this.#giveUp('no room');
        return;
      }
      buffer = Buffer.allocUnsafe(size);
      kept.copy(buffer, 0, 0, this.#length);
      this.#kept = buffer;
    }
    buffer.set(piece, this.#length);
  }

  #giveUp(why: Unread): void {
    this.#unread = why;
    this.drop();
  }

  /** What is left of a body after the rules. */
  #rest(text: string): Buffer | null {
    const { paths, patterns } = this.#rules;
    let rest: string | null = this.#isJson ? (withoutParts(text, paths) ?? text) : text;
    const allowance = { steps: STEPS_MAX };
    for (const pattern of patterns) {
      rest = pattern.cutFrom(rest, allowance);
      if (rest !== null) continue;
      this.#unread = 'too complex';
      return null;
    }
    return Buffer.from(rest);
  }
}

function chosenHeaders(fields: FieldLines, { headers, ignoredHeaders }: ReadyRules): ReadonlyMap<string, string> {
  const chosen = new Map<string, string>();
  if (headers === 'all') {
    const nominated = (fields.get('connection') ?? '').toLowerCase().split(/[\s,]+/);
    for (let index = 0; index < fields.count; index += 1) {
      const name = fields.name(index).toLowerCase();
      if (!ignoredHeaders.has(name) && !nominated.includes(name)) add(chosen, name, fields.value(index));
    }
    return chosen;
  }
  for (const name of headers) {
    for (let index = fields.find(name); index >= 0; index = fields.find(name, index + 1)) {
      add(chosen, name, fields.value(index));
    }
  }
  return chosen;
}

function add(chosen: Map<string, string>, name: string, value: string): void {
  const before = chosen.get(name);
  chosen.set(name, before === undefined ? value : `${before}, ${value}`);
}
