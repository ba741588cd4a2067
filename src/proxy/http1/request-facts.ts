/** The facts of a client connection's present request, each read from the head when routing asks for it. */
import type { RequestHead } from '../../core/http/message.ts';
import { bucketOf, bucketOfUuidAt } from '../../core/routing/bucket.ts';
import { cookieSizedAsUuid, uuidCookie } from '../../core/routing/cookies.ts';
import type { RequestFacts } from '../../core/routing/request-facts.ts';
import { uuidAt } from '../../core/routing/uuid.ts';
import type { Plane } from '../plane.ts';

export class Http1RequestFacts implements RequestFacts {
  readonly #plane: Plane;
  readonly #clientIp: string;
  #head: RequestHead | null = null;
  #sessionId: string | null = null;
  /** Where the transition cookie stands in `#text`; -1: the client has none, or not a good one. */
  #transitionAt = UNREAD;
  /** The bucket of that cookie. */
  #bucket = -1;
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
    this.#transitionAt = UNREAD;
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
      this.#transitionId = this.transitionIsNew()
        ? this.#plane.dice.clientId()
        : uuidAt(this.#text, this.#transitionAt);
    }
    return this.#transitionId;
  }

  transitionBucket(): number {
    return this.transitionIsNew() ? bucketOf(this.transitionId()) : this.#bucket;
  }

  transitionIsNew(): boolean {
    if (this.#transitionAt === UNREAD) this.#readTransition();
    return this.#transitionAt < 0;
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

  /** Whether it is a UUID and which bucket that has is found out in one go. */
  #readTransition(): void {
    const name = this.#plane.config.cookies.transition;
    const at = this.#head === null ? -1 : cookieSizedAsUuid(this.#head.fields, name);
    this.#bucket = at < 0 ? -1 : bucketOfUuidAt(this.#text, at);
    this.#transitionAt = this.#bucket < 0 ? -1 : at;
  }

  get #text(): string {
    return this.#head?.fields.text ?? '';
  }
}

const UNREAD = -2;
