/** How much of a message is taken before it is refused, however the bytes arrive. */
import { describe, expect, it } from 'vitest';
import { type Cuts, playRequests, playResponses } from './replay.ts';

const bounds = { requestLineBytes: 100, headerBytes: 300, fieldCount: 5 };
const play = (text: string, cuts: Cuts = 'whole') => playRequests(text, cuts, bounds);

/** The bytes that were taken before `code` was said, whole or byte by byte; 0 when it was not said. */
function takenBefore(code: string, text: string): number[] {
  return (['whole', 'bytes'] as const).map((cuts) => {
    const { error, left } = play(text, cuts);
    return error === code ? text.length - left : 0;
  });
}

describe('the request line', () => {
  const line = (bytes: number) => `GET /${'a'.repeat(bytes - 'GET / HTTP/1.1\r\n'.length)} HTTP/1.1\r\n`;

  it('may have as many bytes as the limit, its end included', () => {
    for (const cuts of ['whole', 'bytes'] as const) {
      expect(play(`${line(100)}Host: a\r\n\r\n`, cuts)).toMatchObject({ error: '', messages: [{ whole: true }] });
      expect(play(`${line(101)}Host: a\r\n\r\n`, cuts)).toMatchObject({ status: 414, messages: [] });
    }
  });

  it('is refused before it has ended, or named a target', () => {
    expect(takenBefore('request-line-too-long', `GET /${'a'.repeat(1000)}`)).toEqual([100, 100]);
    expect(takenBefore('request-line-too-long', `GET /?${'a'.repeat(1000)}`)).toEqual([100, 100]);
    expect(takenBefore('request-line-too-long', 'G'.repeat(1000))).toEqual([100, 100]);
  });
});

describe('the field section', () => {
  /** A head whose field section has that many bytes. */
  const head = (bytes: number) => {
    const rest = 'Host: a\r\nX: \r\n\r\n'.length;
    return `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(bytes - rest)}\r\n\r\n`;
  };

  it('may have as many bytes as the limit, its empty line included', () => {
    for (const cuts of ['whole', 'bytes'] as const) {
      expect(play(head(300), cuts)).toMatchObject({ error: '', messages: [{ whole: true }] });
      expect(play(head(301), cuts)).toMatchObject({ status: 431, error: 'section-too-large', messages: [] });
    }
  });

  it('is refused before a line has ended', () => {
    const start = 'GET / HTTP/1.1\r\n';
    const bound = start.length + 300;
    expect(takenBefore('section-too-large', `${start}X: ${'a'.repeat(9999)}`)).toEqual([bound, bound]);
    expect(takenBefore('section-too-large', `${start}${'x'.repeat(9999)}`)).toEqual([bound, bound]);
    expect(takenBefore('section-too-large', `${start}X:${' '.repeat(9999)}`)).toEqual([bound, bound]);
  });

  it('may have as many lines as the limit', () => {
    const lines = (count: number) => `GET / HTTP/1.1\r\nHost: a\r\n${'X:\r\n'.repeat(count - 1)}\r\n`;
    expect(play(lines(5)).messages).toHaveLength(1);
    expect(play(lines(6))).toMatchObject({ status: 431, error: 'too-many-fields', messages: [] });
  });
});

describe('chunks', () => {
  const start = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

  it('may not have trailers beyond the limits of a field section', () => {
    expect(play(`${start}0\r\nX: ${'a'.repeat(9999)}`)).toMatchObject({ status: 431, error: 'section-too-large' });
    expect(play(`${start}0\r\n${'X:\r\n'.repeat(6)}`)).toMatchObject({ status: 431, error: 'too-many-fields' });
    expect(play(`${start}0\r\n${'X:\r\n'.repeat(5)}\r\n`).messages[0]).toMatchObject({ whole: true });
  });

  it('may not have an endless line', () => {
    const most = start.length + 16 * 1024 + 1;
    expect(takenBefore('chunk-overhead', `${start}1;a=${'b'.repeat(20_000)}`)).toEqual([most, most]);
    expect(takenBefore('chunk-overhead', `${start}${'0'.repeat(20_000)}`)).toEqual([most, most]);
  });

  it('may not hide much in the extensions of small chunks', () => {
    const chunk = `1;a=${'b'.repeat(100)}\r\nx\r\n`;
    const { error, messages } = play(start + chunk.repeat(1000));
    expect(error).toBe('chunk-overhead');
    expect(messages[0]?.body.length).toBeLessThan(200);
  });

  it('may be small, and signed when they are not', () => {
    const bytes = `${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`;
    expect(play(start + bytes).messages[0]).toMatchObject({ whole: true });
    const signed = `40;signature=${'f'.repeat(64)}\r\n${'x'.repeat(64)}\r\n`;
    expect(play(`${start}${signed.repeat(1000)}0\r\n\r\n`).messages[0]).toMatchObject({ whole: true });
  });
});

describe('a response', () => {
  const answer = (text: string) => playResponses(text, { bounds });

  it('is held to the same limits', () => {
    expect(answer(`HTTP/1.1 200 ${'a'.repeat(1000)}`).error).toBe('status-line-too-long');
    expect(answer(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(1000)}`).error).toBe('section-too-large');
    expect(answer(`HTTP/1.1 200 OK\r\n${'X:\r\n'.repeat(6)}\r\n`).error).toBe('too-many-fields');
    expect(answer(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'X:\r\n'.repeat(6)}`).error).toBe(
      'too-many-fields',
    );
  });
});
