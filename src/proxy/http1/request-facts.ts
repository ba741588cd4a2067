/** The facts of a client connection's present request, each read from the head when routing asks for it. */
import type { RequestHead } from '../../core/http/message.ts';
import { cookieValue } from '../../core/routing/cookies.ts';
import type { RequestFacts } from '../../core/routing/request-facts.ts';
import { isUuid } from '../../core/routing/uuid.ts';
import type { Plane } from '../plane.ts';

export class Http1RequestFacts implements RequestFacts {
  readonly #plane: Plane;
  readonly #clientIp: string;
  #head: RequestHead | null = null;
  #sessionId: string | null = null;
  #transitionId: string | null = null;
  #transitionIsNew = false;

  constructor(plane: Plane, clientIp: string) {
    this.#plane = plane;
    this.#clientIp = clientIp;
  }

  /** The next request of the connection. */
  of(head: RequestHead): void {
    this.#head = head;
    this.#sessionId = null;
    this.#transitionId = null;
  }

  get method(): string {
    return this.#head?.method ?? '';
  }

  sessionId(): string {
    this.#sessionId ??= this.#uuidCookie(this.#plane.config.cookies.version);
    return this.#sessionId;
  }

  transitionId(): string {
    if (this.#transitionId === null) {
      const held = this.#uuidCookie(this.#plane.config.cookies.transition);
      this.#transitionIsNew = held === '';
      this.#transitionId = held === '' ? this.#plane.dice.clientId() : held;
    }
    return this.#transitionId;
  }

  transitionIsNew(): boolean {
    this.transitionId();
    return this.#transitionIsNew;
  }

  header(name: string): string {
    return this.#head?.fields.get(name) ?? '';
  }

  ip(): string {
    return this.#clientIp;
  }

  #uuidCookie(name: string): string {
    const { fields } = this.#head ?? {};
    if (fields === undefined) return '';
    const value = cookieValue(fields, name);
    return isUuid(value) ? value.toLowerCase() : '';
  }
}
