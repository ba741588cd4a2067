/**
 * What a routing decision may ask of a request. The data plane keeps one such object per client connection and fills it
 * anew for each request, so that deciding allocates nothing; each question is answered only when it is asked.
 */
export interface RequestFacts {
  readonly method: string;
  /** The id in the version cookie when it is a well-formed UUID, in lower case, else ''. */
  sessionId(): string;
  /** The client's id in the transition cookie: a well-formed UUID in lower case; drawn fresh for a client without one. */
  transitionId(): string;
  /** The bucket of `transitionId`. */
  transitionBucket(): number;
  /** True when `transitionId` was drawn for this request: the client does not hold it yet. */
  transitionIsNew(): boolean;
  /** The first value of a header (name in lower case), or ''. */
  header(name: string): string;
  /** The client's address. */
  ip(): string;
}
