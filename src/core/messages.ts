/**
 * The two messages between the planes (ARCHITECTURE.md): down goes a routing table, up come outcomes and figures.
 * In one process they are calls; nothing here holds a function, so that they can cross a process boundary.
 */

/** What one attempt showed. The order is that of a request's life. */
export type OutcomeKind =
  | 'answered' // whole answer, status below 500
  | 'server-error' // whole answer, status 500 or above
  | 'refused' // no server address took the connection (refused, unreachable, no address)
  | 'connect-timeout'
  | 'reset' // the connection broke before the first byte of an answer
  | 'malformed' // the answer was refused by the codec
  | 'response-timeout' // no response head in time
  | 'cut' // the connection broke inside the answer
  | 'idle-timeout' // the answer stalled
  | 'exhausted' // this machine had no descriptor, port or memory for the connection: nothing is known of the server
  | 'abandoned'; // the client left

export interface Outcome {
  readonly versionId: string;
  /** The release epoch of the version when the attempt was admitted. Stale ones are ignored. */
  readonly epoch: number;
  readonly kind: OutcomeKind;
  /** `host:port` of the server that was tried. */
  readonly server: string;
  /** From the claim to the end of the attempt, milliseconds. */
  readonly latencyMs: number;
  /**
   * True when this attempt's answer went to the client and no version had failed the exchange before; with kind
   * `answered` it is what raises a GRADUAL threshold. False for replays and for the dropped answers of a fan-out.
   */
  readonly direct: boolean;
  /** False for the proxy's own answers and `ignorePaths`: no evidence, raises no threshold. */
  readonly counts: boolean;
}

/** Outcomes of the kind `answered` that count, of one version, told together where they cross a process boundary. */
export interface Answers {
  readonly versionId: string;
  readonly epoch: number;
  readonly count: number;
  /** How many of them were direct. */
  readonly direct: number;
  /** The servers that gave them, each once. */
  readonly servers: readonly string[];
  /** Their mean. */
  readonly latencyMs: number;
  /** The epoch of the version whose threshold was being raised where they were given, or null. */
  readonly ramp: number | null;
}

/**
 * What one exchange proved about a version that failed in it, told when the exchange is decided. `blamed`: an older
 * version then answered. `shared`: the older ones asked failed too. `unpaired`: no other version was asked (the write
 * policy forbade it, the answer had begun, or the client gave up waiting), so nothing was compared.
 */
export interface Finding {
  readonly versionId: string;
  readonly epoch: number;
  readonly kind: 'blamed' | 'shared' | 'unpaired';
  /** How the attempt failed. */
  readonly cause: OutcomeKind;
  /** `host:port` of the server that failed. */
  readonly server: string;
  /** The client got a whole answer all the same. */
  readonly absorbed: boolean;
  /** One line for the log and the ledger. */
  readonly text: string;
}

/** One thing in which two answers differ; `name` is the header's. Values are cut short, bodies are given by their hashes. */
export interface Differing {
  readonly what: 'status' | 'header' | 'length' | 'body';
  readonly name: string | null;
  readonly older: string;
  readonly newer: string;
}

/**
 * Two answers to one request that are not alike (mode CONCURRENT): of the version on trial and of an older one, or, as `noise`, two
 * of that older one, which says nothing of the version on trial.
 */
export interface Difference {
  /** The version on trial. */
  readonly versionId: string;
  readonly epoch: number;
  /** What the older version is called. */
  readonly against: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly differing: readonly Differing[];
  readonly noise: boolean;
}

/** How the answers of a version compare with an older one's; running totals. */
export interface ComparisonCounts {
  readonly compared: number;
  readonly different: number;
  /** Of those compared: the bodies were left out, since parts of them were to be ignored and could not be. */
  readonly bodiesUnread: number;
  /** The older version compared with itself. */
  readonly noiseCompared: number;
  readonly noiseDifferent: number;
}

/** Running totals of one version since it entered the table; plain numbers, read and never reset. */
export interface VersionFigures {
  readonly versionId: string;
  /** Attempts begun, which is also the running count that the log shows. */
  attempts: number;
  /** Exchanges that this version's answer completed, 5xx not among them. */
  answered: number;
  /** Attempts that ended in any other way than an answer, the client's leaving not among them. */
  failed: number;
  /** Exchanges that this version admitted. */
  exchanges: number;
  /** Exchanges that went on to another version after this one had failed. */
  replays: number;
  /** Failures of this version that the client never saw. */
  absorbed: number;
  /** Exchanges admitted by this version whose body grew over what is kept, or found no room. */
  notReplayable: number;
  /** Replays of this version's failures that the budget refused. */
  budgetRefused: number;
  /** Exchanges in flight now. */
  inFlight: number;
  /** Tunnels open now. */
  tunnels: number;
  /**
   * Requests that this version, in mode SESSION and not released, passed on because they carried an older session: one
   * more for each plan whose `admitted` is larger than the version's index in the chain.
   */
  olderSessions: number;
  /** CONCURRENT: answers of this version compared with an older one's, as in `ComparisonCounts`. */
  compared: number;
  different: number;
  bodiesUnread: number;
  noiseCompared: number;
  noiseDifferent: number;
}

export function noFigures(versionId: string): VersionFigures {
  return {
    versionId,
    attempts: 0,
    answered: 0,
    failed: 0,
    exchanges: 0,
    replays: 0,
    absorbed: 0,
    notReplayable: 0,
    budgetRefused: 0,
    inFlight: 0,
    tunnels: 0,
    olderSessions: 0,
    compared: 0,
    different: 0,
    bodiesUnread: 0,
    noiseCompared: 0,
    noiseDifferent: 0,
  };
}
