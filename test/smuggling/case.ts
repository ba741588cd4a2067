/** One attempt at being understood in two ways: what a client sends, and the one thing that may come of it. */

export interface Case {
  readonly name: string;
  /** Latin1, one char an octet. */
  readonly bytes: string;
  /**
   * The answers in order. A text is the message that reaches the server, as `recorder.ts` writes it down, and is what its
   * answer says; a number is the status of an answer of the proxy's own, for which no server is asked.
   */
  readonly answers: readonly (string | number)[];
  /** What becomes of the connection. `cut`: the client ends it inside its message. */
  readonly after: 'goes on' | 'ends' | 'cut';
}

/** A request that a careless reader would take out of the body or the rest of another one. */
export const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: evil\r\nX-Smuggled: yes\r\n\r\n';

/** A GET with these lines beside its Host. */
export const get = (lines: string): string => `GET /g HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;

/** A POST with these lines beside its Host, and what follows its head. */
export const post = (lines: string, rest: string): string => `POST /p HTTP/1.1\r\nHost: a\r\n${lines}\r\n${rest}`;

/** A chunked POST with this on the wire behind its head. */
export const chunked = (rest: string): string => post('Transfer-Encoding: chunked\r\n', rest);

/** Passed on as this one message; the connection goes on. */
export function served(name: string, bytes: string, message: string): Case {
  return { name, bytes, answers: [message], after: 'goes on' };
}

/** Refused, and with it the connection. */
export function refused(name: string, bytes: string, status = 400): Case {
  return { name, bytes, answers: [status], after: 'ends' };
}

/** Not whole when the client ends it: it reaches no server as a whole message. */
export function cut(name: string, bytes: string): Case {
  return { name, bytes, answers: [], after: 'cut' };
}

/**
 * The case by itself, and in company: behind a good request, with a smuggled one after it. Of what follows on a
 * connection that goes on, the good part is served in its turn; of what follows a refusal, nothing is.
 */
export function inCompany(one: Case): readonly Case[] {
  if (one.after === 'cut') return [one];
  const before = 'GET /before HTTP/1.1\r\nHost: a\r\n\r\n';
  const after = one.after === 'goes on' ? 'GET /after HTTP/1.1\r\nHost: a\r\n\r\n' : SMUGGLED;
  const answersAfter = one.after === 'goes on' ? ['GET /after '] : [];
  return [
    one,
    {
      name: `${one.name}, in company`,
      bytes: before + one.bytes + after,
      answers: ['GET /before ', ...one.answers, ...answersAfter],
      after: one.after,
    },
  ];
}
