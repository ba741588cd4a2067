/** Clients that keep one cookie, and remember which version answered them last. */
import { request } from 'node:http';

/** One client of a GRADUAL release: it sends its `transition` cookie and nothing that names a version. */
export class LoyalClient {
  /** The version that answered last; null before. */
  last: string | null = null;
  /** Answers that came from an older version than one before. */
  readonly stepsBack: string[] = [];
  answers = 0;
  #cookie: string | null = null;

  /** Asks until it can't be answered; with the port refused, that is at once. */
  async askUntilCut(port: number): Promise<void> {
    while (await this.ask(port)) {}
  }

  /** False when no whole answer came. */
  async ask(port: number): Promise<boolean> {
    const version = await this.#answer(port);
    if (version === null) return false;
    this.answers += 1;
    if (this.last !== null && Number(version) < Number(this.last)) {
      this.stepsBack.push(`${this.last} to ${version} at answer ${this.answers}`);
    }
    this.last = version;
    return true;
  }

  #answer(port: number): Promise<string | null> {
    const headers = this.#cookie === null ? {} : { Cookie: this.#cookie };
    return new Promise((resolve) => {
      const asking = request({ host: '127.0.0.1', port, headers, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', () => resolve(null));
        answer.on('end', () => {
          const given = answer.headers['set-cookie']?.find((line) => line.startsWith('transition='));
          if (given !== undefined) this.#cookie = given.split(';')[0] ?? null;
          resolve(answer.complete && answer.statusCode === 200 ? text : null);
        });
      });
      asking.on('error', () => resolve(null));
      asking.end();
    });
  }
}
