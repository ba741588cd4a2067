/** One request of the soak's load: asked over `node:http`, its answer checked whole. */
import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as passed } from 'node:timers/promises';
import { answerBody, UPLOADS } from './bodies.ts';

export interface Question {
  readonly id: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Bytes to be answered. */
  readonly size: number;
  /** In which way it is answered. */
  readonly query: '' | '?chunked' | '?paceMs=600';
  readonly upload: keyof typeof UPLOADS | null;
  /** `length` in one piece; `chunked` in two chunks; `paced` in pieces over half a second. */
  readonly sends: 'length' | 'chunked' | 'paced';
  /** When the client leaves, if it does. */
  readonly leaves: 'never' | 'before the answer' | 'in the upload' | 'in the answer';
}

export interface Way {
  readonly port: number;
  /** False: a connection for this request alone. */
  readonly agent: Agent | false;
  readonly jar: Map<string, string> | null;
}

/** Null when all went as it should; else what went wrong, one line. */
type Fault = { readonly text: string; readonly broke: boolean } | null;

const ANSWER_LIMIT_MS = 20_000;

/** Resolves when the answer is there whole, or the client has left, or something has gone wrong. */
export function ask({ port, agent, jar }: Way, question: Question): Promise<Fault> {
  const { promise, resolve } = Promise.withResolvers<Fault>();
  const { id, method, size, query, leaves } = question;
  const upload = question.upload === null ? null : UPLOADS[question.upload];
  const headers: Record<string, string | number> = { Host: 'application', 'X-Request-Id': id };
  if (upload !== null && question.sends === 'length') headers['Content-Length'] = upload.bytes.length;
  if (jar !== null && jar.size > 0) headers.Cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  let left = false;
  const leave = (): void => {
    left = true;
    outgoing.destroy();
    resolve(null);
  };
  const broke = (where: string) => (error: Error) => {
    if (!left) resolve({ text: `${where}: ${error.message}`, broke: true });
  };
  const outgoing = request({ host: '127.0.0.1', port, agent, method, path: `/${size}${query}`, headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (leaves === 'in the answer') leave();
    });
    answer.on('error', broke(`Cut after ${answer.statusCode} of version ${answer.headers['x-version']}`));
    answer.on('end', () => {
      if (jar !== null) keepCookies(jar, answer);
      const text = faultOf(answer, Buffer.concat(chunks), { id, size, receipt: upload?.receipt ?? 'empty' });
      resolve(text === null ? null : { text, broke: false });
    });
  });
  outgoing.on('error', broke('No answer'));
  outgoing.setTimeout(ANSWER_LIMIT_MS, () => outgoing.destroy(new Error('No answer in time')));
  if (leaves === 'before the answer') outgoing.on('finish', () => setImmediate(leave));
  void send(outgoing, question, leave);
  return promise;
}

async function send(outgoing: ClientRequest, { upload, sends, leaves }: Question, leave: () => void): Promise<void> {
  if (upload === null) return void outgoing.end();
  const { bytes } = UPLOADS[upload];
  if (sends === 'length' && leaves !== 'in the upload') return void outgoing.end(bytes);
  const pieces = 4;
  for (let piece = 0; piece < pieces; piece += 1) {
    outgoing.write(bytes.subarray((piece * bytes.length) / pieces, ((piece + 1) * bytes.length) / pieces));
    if (sends === 'paced') await passed(500 / pieces);
    if (leaves === 'in the upload' && piece === 1) return leave();
  }
  outgoing.end();
}

/** What is wrong with an answer that came to its end, or null. */
function faultOf(
  { complete, statusCode = 0, headers }: IncomingMessage,
  body: Buffer,
  asked: { readonly id: string; readonly size: number; readonly receipt: string },
): string | null {
  const version = headers['x-version'];
  if (!complete) return 'The answer was cut';
  if (statusCode !== 200) return `Status ${statusCode} of version ${version}: ${body.toString('latin1', 0, 80)}`;
  if (typeof version !== 'string') return 'An answer of no version';
  if (headers['x-request-id'] !== asked.id) return `The answer of another request: ${headers['x-request-id']}`;
  if (headers['x-receipt'] !== asked.receipt) return 'The request body was not received as it was sent';
  return body.equals(answerBody(version, asked.size)) ? null : `Not the body of version ${version}`;
}

function keepCookies(jar: Map<string, string>, { headers }: IncomingMessage): void {
  for (const line of headers['set-cookie'] ?? []) {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
}
