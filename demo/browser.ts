/**
 * A client as TiddlyWiki's page is one: it loads the page once, then saves its notes (PUT) and asks for news (GET), one
 * request after the other on a kept connection, and keeps its cookies. Every answer is checked whole.
 */
import { Agent, type IncomingMessage, request } from 'node:http';

export interface Tally {
  /** Good answers, by the version that gave them. */
  readonly answers: Map<string, number>;
  readonly failures: string[];
}

interface Reply {
  readonly status: number;
  readonly body: string;
}

const NEWS = '/recipes/default/tiddlers.json';
/** Time between two requests of one browser, ms: somebody is typing. */
const THINK_MS = 5;

export class Browser {
  readonly name: string;
  /** The version of the last answer. */
  version = '';
  readonly #port: number;
  readonly #tally: Tally;
  readonly #versionOf: (cookie: string) => string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #cookies = new Map<string, string>();
  #living = true;
  #life: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    where: { readonly port: number; readonly tally: Tally; readonly versionOf: (cookie: string) => string },
  ) {
    this.name = name;
    this.#port = where.port;
    this.#tally = where.tally;
    this.#versionOf = where.versionOf;
  }

  /** Loads the page; resolves when it is there whole, and goes on working until `leave`. */
  async open(): Promise<void> {
    await this.#check('GET /', () => this.#send('GET', '/'), isPage);
    this.#life = this.#work();
  }

  /** Finishes the request under way and goes. */
  async leave(): Promise<void> {
    this.#living = false;
    await this.#life;
    this.#agent.destroy();
  }

  async #work(): Promise<void> {
    for (let round = 1; this.#living; round += 1) {
      const note = JSON.stringify({ title: this.name, text: `Note ${round} of ${this.name}`, tags: '' });
      await this.#check('GET /status', () => this.#send('GET', '/status'), isStatus);
      await this.#check('PUT note', () => this.#send('PUT', `/recipes/default/tiddlers/${this.name}`, note), isSaved);
      if (round % 5 === 0) await this.#check('GET news', () => this.#send('GET', NEWS), isNews);
    }
  }

  async #check(
    what: string,
    ask: () => Promise<Reply>,
    good: (reply: Reply, version: string) => boolean,
  ): Promise<void> {
    try {
      const reply = await ask();
      const version = this.#versionOf(this.#cookies.get('dynsoftup') ?? '');
      if (!good(reply, version)) throw new Error(`${reply.status} ${JSON.stringify(reply.body.slice(0, 80))}`);
      this.version = version;
      this.#tally.answers.set(version, (this.#tally.answers.get(version) ?? 0) + 1);
    } catch (error) {
      this.#tally.failures.push(`${this.name}: ${what}: ${(error as Error).message}`);
    }
    await new Promise((resolve) => setTimeout(resolve, THINK_MS));
  }

  #send(method: string, path: string, body?: string): Promise<Reply> {
    const headers: Record<string, string> = { 'X-Requested-With': 'TiddlyWiki' };
    if (this.#cookies.size > 0) headers.Cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers };
      const outgoing = request(options, (answer) => this.#receive(answer).then(resolve, reject));
      outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('No answer within 10 s')));
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async #receive(answer: IncomingMessage): Promise<Reply> {
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return { status: answer.statusCode ?? 0, body: Buffer.concat(pieces).toString() };
  }
}

function isPage({ status, body }: Reply, version: string): boolean {
  const whole = body.length > 2_000_000 && body.trimEnd().endsWith('</html>');
  return status === 200 && whole && body.includes(`name="tiddlywiki-version" content="${version}"`);
}

/** The application's own word for its version, against the cookie's. */
function isStatus({ status, body }: Reply, version: string): boolean {
  return status === 200 && JSON.parse(body).tiddlywiki_version === version;
}

function isSaved({ status }: Reply): boolean {
  return status === 204 || status === 200;
}

function isNews({ status, body }: Reply): boolean {
  return status === 200 && Array.isArray(JSON.parse(body));
}
