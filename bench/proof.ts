/** Correct first: a proxy that loses or changes something is not measured. */
import { randomBytes } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { PATHS, SMALL_BODY } from './upstream.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Throws with the name of the proxy and what went wrong. */
export async function proveCorrect(name: string, port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (question: Question) => send(port, agent, question);
  const check = (what: string, isRight: boolean) => {
    if (!isRight) throw new Error(`${name} is not correct: ${what}`);
  };
  try {
    const get = await ask({ method: 'GET', path: '/' });
    check('GET of the small answer', get.status === 200 && get.body.toString() === SMALL_BODY);
    const head = await ask({ method: 'HEAD', path: '/' });
    const length = String(SMALL_BODY.length);
    check('HEAD', head.status === 200 && head.body.length === 0 && head.headers['content-length'] === length);
    const post = await ask({ method: 'POST', path: '/teapot', body: Buffer.from('x=1') });
    check('POST and its status', post.status === 418 && post.body.toString() === 'short and stout');
    const asked = await ask({ method: 'GET', path: '/asked?a=%2F&b', headers: { 'X-Probe': 'a probe' } });
    check('target and fields', asked.body.toString() === 'GET /asked?a=%2F&b a probe');
    const file = randomBytes(300_000);
    const put = await ask({ method: 'PUT', path: `/files/${encodeURIComponent(name)}`, body: file });
    check('PUT of a body', put.status === 201 || put.status === 204);
    const got = await ask({ method: 'GET', path: `/files/${encodeURIComponent(name)}` });
    check('GET of the same body', got.status === 200 && got.body.equals(file));
  } finally {
    agent.destroy();
  }
}

async function send(port: number, agent: Agent, { method, path, body, headers }: Question): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request({ host: '127.0.0.1', port, agent, method, path, headers: { ...headers } }, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', reject);
    incoming.on('end', () => {
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) });
    });
  });
  outgoing.on('error', reject);
  outgoing.setTimeout(10_000, () => outgoing.destroy(new Error(`No answer to ${method} ${path}`)));
  outgoing.end(body);
  return promise;
}

/** That each `Cookie` value leads to its version of the application, told by the port that was reached. */
export async function proveChosen(
  { name, port }: { readonly name: string; readonly port: number },
  cookies: readonly string[],
  upstreamPorts: readonly number[],
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const [index, cookie] of cookies.entries()) {
      const { body } = await send(port, agent, { method: 'GET', path: PATHS.port, headers: { Cookie: cookie } });
      if (body.toString() === String(upstreamPorts[index])) continue;
      throw new Error(`${name} is not correct: ${cookie} leads to ${body}, not to ${upstreamPorts[index]}`);
    }
  } finally {
    agent.destroy();
  }
}
