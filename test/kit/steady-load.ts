/** Clients that ask on and on, each on one kept connection, and check every answer. */
import { Agent, request } from 'node:http';

const CLIENTS = 12;

interface Reply {
  readonly status: number;
  readonly version: string;
  readonly text: string;
}

export class SteadyLoad {
  /** Right answers by the version that gave them (`X-Version`). */
  readonly answers = new Map<string, number>();
  /** What was no right answer, one line each. */
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #clients: readonly Promise<void>[];
  #over = false;
  #changed = Promise.withResolvers<void>();

  /** Half of the clients keep cookies. Of what they send, one in four is a PUT with a body that comes back. */
  constructor(port: number) {
    this.#port = port;
    this.#clients = Array.from({ length: CLIENTS }, (_, index) => this.#client(index));
  }

  /** Resolves when this version has given so many more answers. */
  async more(version: string, count: number): Promise<void> {
    const goal = this.#of(version) + count;
    while (this.#of(version) < goal) await this.#changed.promise;
  }

  /** Each client finishes what it is at. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#clients);
  }

  #of(version: string): number {
    return this.answers.get(version) ?? 0;
  }

  async #client(index: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const jar = index % 2 === 0 ? new Map<string, string>() : null;
    for (let n = index; !this.#over; n += 1) {
      const sent = n % 4 === 0 ? `body ${index}-${n}` : '';
      const reply = await ask({ port: this.#port, agent, jar, sent }).catch((error: Error) => error.message);
      if (typeof reply === 'string') this.failures.push(`${index}-${n}: ${reply}`);
      else if (reply.status !== 200 || reply.text !== (sent === '' ? reply.version : sent)) {
        this.failures.push(`${index}-${n}: ${reply.status} of ${reply.version}: ${reply.text.slice(0, 200)}`);
      } else this.answers.set(reply.version, this.#of(reply.version) + 1);
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
    agent.destroy();
  }
}

interface Question {
  readonly port: number;
  readonly agent: Agent;
  readonly jar: Map<string, string> | null;
  /** '': a GET. */
  readonly sent: string;
}

function ask({ port, agent, jar, sent }: Question): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const headers: Record<string, string | number> = sent === '' ? {} : { 'Content-Length': Buffer.byteLength(sent) };
  if (jar !== null && jar.size > 0) headers.Cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const way = sent === '' ? { method: 'GET', path: '/' } : { method: 'PUT', path: '/echo' };
  const outgoing = request({ host: '127.0.0.1', port, agent, headers, ...way }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    answer.on('error', reject);
    answer.on('end', () => {
      if (!answer.complete) reject(new Error('The answer broke off'));
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (name !== undefined && value !== undefined) jar?.set(name, value);
      }
      resolve({ status: answer.statusCode ?? 0, version: String(answer.headers['x-version'] ?? ''), text });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(sent);
  return promise;
}
