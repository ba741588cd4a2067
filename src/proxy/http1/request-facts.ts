/** The facts of a client connection's present request, each read from the head when routing asks for it. */
import type { RequestHead } from '../../core/http/message.ts';
import { bucketOf, bucketOfUuidAt } from '../../core/routing/bucket.ts';
import { uuidCookie, uuidCookieAt } from '../../core/routing/cookies.ts';
import type { RequestFacts } from '../../core/routing/request-facts.ts';
import { uuidAt } from '../../core/routing/uuid.ts';
import type { Plane } from '../plane.ts';

export class Http1RequestFacts implements RequestFacts {
  readonly #plane: Plane;
  readonly #clientIp: string;
  #head: RequestHead | null = null;
  #sessionId: string | null = null;
  #transition = UNREAD;
  /** '' until it is asked for. */
  #transitionId = '';

  constructor(plane: Plane, clientIp: string) {
    this.#plane = plane;
    this.#clientIp = clientIp;
  }

  /** The next request of the connection. */
  of(head: RequestHead): void {
    this.#head = head;
    this.#sessionId = null;
    this.#transition = UNREAD;
    this.#transitionId = '';
  }

  get method(): string {
    return this.#head?.method ?? '';
  }

  sessionId(): string {
    this.#sessionId ??= this.#readSessionId();
    return this.#sessionId;
  }

  transitionId(): string {
    if (this.#transitionId === '') {
      const at = this.#transitionAt();
      this.#transitionId = at < 0 ? this.#plane.dice.clientId() : uuidAt(this.#text, at);
    }
    return this.#transitionId;
  }

  transitionBucket(): number {
    const at = this.#transitionAt();
    return at < 0 ? bucketOf(this.transitionId()) : bucketOfUuidAt(this.#text, at);
  }

  transitionIsNew(): boolean {
    return this.#transitionAt() < 0;
  }

  header(name: string): string {
    return this.#head?.fields.get(name) ?? '';
  }

  ip(): string {
    return this.#clientIp;
  }

  #readSessionId(): string {
    const { config, table } = this.#plane;
    return this.#head === null ? '' : uuidCookie(this.#head.fields, config.cookies.version, table.ids);
  }

  /** Where it stands in `#text`; -1: the client has none, or not a good one. */
  #transitionAt(): number {
    if (this.#transition === UNREAD) {
      const name = this.#plane.config.cookies.transition;
      this.#transition = this.#head === null ? -1 : uuidCookieAt(this.#head.fields, name);
    }
    return this.#transition;
  }

  get #text(): string {
    return this.#head?.fields.text ?? '';
  }
}

const UNREAD = -2;
