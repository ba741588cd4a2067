/**
 * The field lines of one header or trailer section.
 *
 * A section is kept as one latin1 string plus four offsets and a kind a field, so that reading a head
 * makes no object per field. Names are compared without regard to case, by length first.
 */
export class FieldLines {
  /** The text that the offsets point into; one char is one octet. */
  text = '';
  /** How many field lines there are. */
  count = 0;
  /** Per field: name start, name end, value start, value end (OWS around the value left out). */
  readonly at: number[] = [];
  /** Per field: its kind (`field-kinds.ts`). */
  readonly kinds: number[] = [];
  /** A bit per kind that occurs. */
  #present = 0;
  /** A bit per kind that occurs more than once. */
  #repeated = 0;

  clear(): void {
    this.text = '';
    this.count = 0;
    this.#present = 0;
    this.#repeated = 0;
  }

  /** A section of one's own: a parser's is lent until its message has ended. */
  copy(): FieldLines {
    const copy = new FieldLines();
    copy.text = this.text;
    copy.count = this.count;
    copy.#present = this.#present;
    copy.#repeated = this.#repeated;
    for (let index = 0; index < this.count; index += 1) copy.kinds[index] = this.kinds[index] as number;
    for (let index = 0; index < this.count * 4; index += 1) copy.at[index] = this.at[index] as number;
    return copy;
  }

  /** Adds one field line by its four offsets and its kind. */
  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, kind = 0): void {
    const base = this.count * 4;
    this.at[base] = nameStart;
    this.at[base + 1] = nameEnd;
    this.at[base + 2] = valueStart;
    this.at[base + 3] = valueEnd;
    this.kinds[this.count] = kind;
    this.count += 1;
    this.#repeated |= this.#present & (1 << kind);
    this.#present |= 1 << kind;
  }

  /** True when a field of this kind occurs. */
  has(kind: number): boolean {
    return (this.#present & (1 << kind)) !== 0;
  }

  /** True when more than one field line is of this kind. */
  repeats(kind: number): boolean {
    return (this.#repeated & (1 << kind)) !== 0;
  }

  /** The index of the first field of this kind at or after `from`, or -1. */
  findKind(kind: number, from = 0): number {
    if (!this.has(kind)) return -1;
    for (let index = from; index < this.count; index += 1) {
      if (this.kinds[index] === kind) return index;
    }
    return -1;
  }

  /** Where the line of field `index` starts in `text`; the lines stand one after the other. */
  lineStart(index: number): number {
    return this.at[index * 4] as number;
  }

  /** The name of field `index` as it was sent. */
  name(index: number): string {
    return this.text.slice(this.at[index * 4], this.at[index * 4 + 1]);
  }

  /** The value of field `index`, without the white space around it. */
  value(index: number): string {
    return this.text.slice(this.at[index * 4 + 2], this.at[index * 4 + 3]);
  }

  /** True when field `index` has this name (given in lower case). */
  is(index: number, lowerName: string): boolean {
    const start = this.at[index * 4] as number;
    if ((this.at[index * 4 + 1] as number) - start !== lowerName.length) return false;
    const { text } = this;
    for (let i = 0; i < lowerName.length; i += 1) {
      const code = text.charCodeAt(start + i);
      const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
      if (lower !== lowerName.charCodeAt(i)) return false;
    }
    return true;
  }

  /** The index of the first field with this name (in lower case) at or after `from`, or -1. */
  find(lowerName: string, from = 0): number {
    for (let index = from; index < this.count; index += 1) {
      if (this.is(index, lowerName)) return index;
    }
    return -1;
  }

  /** The value of the first field with this name (in lower case), or undefined. */
  get(lowerName: string): string | undefined {
    const index = this.find(lowerName);
    return index < 0 ? undefined : this.value(index);
  }
}
