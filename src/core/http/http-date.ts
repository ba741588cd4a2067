/**
 * The Date field (RFC 9110 section 5.6.7): IMF-fixdate, made once a second.
 */

/** The ready-made Date line of the present second. */
export class DateLine {
  #second = Number.NaN;
  #line = '';

  /** `Date: …` ending in CRLF, for milliseconds of wall-clock time. */
  at(wallMs: number): string {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#line = `Date: ${httpDate(second * 1000)}\r\n`;
    }
    return this.#line;
  }
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` for milliseconds of wall-clock time. */
export function httpDate(wallMs: number): string {
  return new Date(wallMs).toUTCString();
}
