/** Answers to compare. */
import { AnswerDigest, type AnswerPrint, type Room } from '../../../src/core/compare/digest.ts';
import { readyRules } from '../../../src/core/compare/rules.ts';
import type { CompareRules } from '../../../src/core/config/model.ts';
import { FieldLines } from '../../../src/core/http/fields.ts';
import type { ResponseHead } from '../../../src/core/http/message.ts';

const RULES: CompareRules = {
  headers: ['content-type', 'location', 'set-cookie'],
  ignoreHeaders: [],
  ignoreJson: [],
  ignoreBody: [],
  sample: 0,
  sampleFirst: 0,
};

export interface Told {
  readonly status?: number;
  readonly fields?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
  /** Where the body is cut into pieces. */
  readonly cuts?: readonly number[];
  readonly framing?: ResponseHead['framing'];
}

export class CountedRoom implements Room {
  used = 0;
  most = 0;
  readonly #max: number;

  constructor(max = Number.POSITIVE_INFINITY) {
    this.#max = max;
  }

  take(bytes: number): boolean {
    if (this.used + bytes > this.#max) return false;
    this.used += bytes;
    this.most = Math.max(this.most, this.used);
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

export function print(told: Told, rules: Partial<CompareRules> = {}, room: Room = new CountedRoom()): AnswerPrint {
  const { body = Buffer.alloc(0), cuts = [], framing = 'chunked' } = told;
  const digest = new AnswerDigest(readyRules({ ...RULES, ...rules }), room);
  digest.head(head(told, framing, body.length));
  let from = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), body.length]) {
    const to = Math.min(cut, body.length);
    digest.body(body, from, to);
    from = to;
  }
  return digest.end();
}

function head({ status = 200, fields = [] }: Told, framing: ResponseHead['framing'], length: number): ResponseHead {
  const lines = new FieldLines();
  for (const [name, value] of fields) {
    const start = lines.text.length;
    lines.text += `${name}: ${value}\r\n`;
    lines.add(start, start + name.length, start + name.length + 2, start + name.length + 2 + value.length);
  }
  return {
    status,
    reason: '',
    minor: 1,
    fields: lines,
    framing,
    length: framing === 'length' ? length : 0,
    keepAlive: true,
    nominates: false,
  };
}
