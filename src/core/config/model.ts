/**
 * The configuration as the code sees it: parsed, defaulted, immutable, units in the names.
 * The file's own keys (seconds, bytes) are in `schema.ts`; `docs/configuration.md` lists them.
 */

export type Mode = 'INSTANT' | 'SESSION' | 'GRADUAL' | 'CONCURRENT';
export const MODES: readonly Mode[] = ['INSTANT', 'SESSION', 'GRADUAL', 'CONCURRENT'];

export type LogLevel = 'CRITICAL' | 'ERROR' | 'WARNING' | 'NOTICE' | 'INFO' | 'DEBUG';
export type LogFormat = 'text' | 'json';

export interface ServerAddress {
  /** A host name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** When a version on trial is taken back (`core/release/verdict.ts`, `docs/verdict.md`). Rates and shares are in [0, 1]. */
export interface VerdictRules {
  /** `strict`: guilty on the first failure that an older version would not have had; the other rules are idle then. */
  readonly preset: 'patient' | 'strict';
  /** So many blamed or unpaired failures in a row are enough. */
  readonly consecutive: number;
  /** Share of releases, of 10 000 requests each, that the rate rule may take back though both versions fail alike. */
  readonly falseAlarm: number;
  /** What is to be caught soon: a failure rate that is higher by this much. Less than this is let pass. */
  readonly margin: number;
  /** The older version's failure rate where nothing is known of it. */
  readonly assumedRate: number;
  /** Requests of its own before the rate rule speaks. */
  readonly minRequests: number;
  /** CONCURRENT: the share of compared requests, above the noise, that may be answered differently; null: any. */
  readonly divergence: number | null;
}

/** CONCURRENT: what of two answers is compared (`core/compare/`). */
export interface CompareRules {
  readonly headers: readonly string[] | 'all';
  readonly ignoreHeaders: readonly string[];
  /** JSON paths of parts that don't matter. */
  readonly ignoreJson: readonly string[];
  /** Patterns whose matches in a body don't matter. */
  readonly ignoreBody: readonly string[];
  /** Share of the requests for which the older version is asked twice, in [0, 1]. */
  readonly sample: number;
  /** So many of them are asked twice at first, where a verdict waits for it; else 0. */
  readonly sampleFirst: number;
}

export interface Transition {
  readonly mode: Mode;
  readonly sessionTimeoutS: number;
  /** Percent per request, in (0, 100]. */
  readonly percentagePerRequest: number;
  /** `cookie`, `ip`, or a header's name in lower case. */
  readonly bucketKey: string;
  readonly versions: number;
  readonly patienceMs: number;
  /** null: all. */
  readonly duplicatedMethods: readonly string[] | null;
  /** null: never. */
  readonly promoteAfterRequests: number | null;
  readonly responseTimeoutMs: number;
  readonly readyTimeoutMs: number;
  readonly regretWindowMs: number;
  /** What is held back of an answer of this version while it is on trial, and for how long after its head. */
  readonly holdBytes: number;
  readonly holdMs: number;
  readonly verdict: VerdictRules;
  /** With mode CONCURRENT, else null. */
  readonly compare: CompareRules | null;
}

/** How a server is asked whether it is well: a GET on a connection of its own. */
export interface HealthCheck {
  readonly path: string;
  /** From the end of one check to the next. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Statuses that pass; null: 200 to 399. */
  readonly expect: readonly number[] | null;
  /** The value of `Host`; null: the server's own address. */
  readonly host: string | null;
}

/** Where a Docker engine listens. */
export type EngineAddress =
  | { readonly kind: 'socket'; readonly path: string }
  /** `certPath`: a folder with `ca.pem`, `cert.pem` and `key.pem`, or null: as the environment says. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly certPath: string | null };

/** A port of a container that is published on its engine's machine. */
export interface PortBinding {
  /** `80/tcp` */
  readonly port: string;
  /** `''`: every address. */
  readonly hostIp: string;
  /** null: a free one. */
  readonly hostPort: number | null;
}

/** How the engine itself asks a container whether it is well. */
export interface ContainerHealthcheck {
  /** As the engine's API has it: `CMD` or `CMD-SHELL`, then the words. */
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly retries: number;
}

/** Which newer images of a container become a version by themselves. */
export interface WatchSpec {
  /** `same`: the container's own tag, whose image may change. `*` in a pattern stands for any characters, `?` for one. */
  readonly tags:
    | { readonly kind: 'same' }
    | { readonly kind: 'pattern'; readonly pattern: string }
    | { readonly kind: 'semver'; readonly range: string };
  readonly intervalMs: number;
  /** For how long an image must have been seen in its registry. */
  readonly minAgeMs: number;
}

/** One container of a version, or several that are alike. What has a syntax of its own stands as it was given, and is known to parse. */
export interface ContainerSpec {
  /** With tag or digest: `registry:5000/app:2.0`. */
  readonly image: string;
  readonly pull: 'missing' | 'always' | 'never';
  /** null: it is started and not proxied to. */
  readonly portToProxy: number | null;
  /** null: one is made up. */
  readonly name: string | null;
  readonly workingDir: string | null;
  readonly entrypoint: readonly string[] | null;
  readonly environment: readonly string[];
  readonly command: readonly string[] | null;
  readonly hostname: string | null;
  readonly volumes: readonly string[];
  readonly volumesFrom: readonly string[];
  readonly portBindings: readonly PortBinding[];
  readonly links: readonly string[];
  readonly user: string | null;
  readonly memoryBytes: number | null;
  readonly cpuShares: number | null;
  readonly lxc: readonly { readonly key: string; readonly value: string }[];
  readonly privileged: boolean;
  /** null: the engine's own. */
  readonly network: string | null;
  /** null: the engine leaves it stopped; Cutover starts it again while its version is trusted. */
  readonly restartPolicy: string | null;
  readonly healthcheck: ContainerHealthcheck | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | null;
  /** How long it may take to stop before it is killed. */
  readonly stopTimeoutS: number | null;
  readonly replicas: number;
  /** null: another image comes by a PUT alone. */
  readonly watch: WatchSpec | null;
  /** null: the one that the environment names. */
  readonly engine: EngineAddress | null;
}

export interface ClusterSpec {
  /** The id that was asked for, in lower case, or null: one is drawn. */
  readonly uuid: string | null;
  readonly version: string;
  /** With containers: none until they have been started. */
  readonly servers: readonly ServerAddress[];
  /** In the order in which they are started; empty for a version that is given by its servers. */
  readonly containers: readonly ContainerSpec[];
  /** null: a server is well while it takes connections. */
  readonly healthCheck: HealthCheck | null;
  readonly transition: Transition;
  /** What GET shows under `containers`: as it was given, environment masked; null: nothing. */
  readonly shownContainers: readonly unknown[] | null;
  /** What GET shows under `healthCheck`, as it was given; null: nothing. */
  readonly shownHealthCheck: Readonly<Record<string, unknown>> | null;
  /**
   * What GET shows under `upgradeTransition`: `mode`, the thesis's option that goes with it, and further options where
   * they were given, in the file's keys and units.
   */
  readonly shownTransition: Readonly<Record<string, unknown>>;
}

/** What a version takes from the configuration when its PUT leaves it out. */
export interface ClusterDefaults {
  /** `timeouts.response` of the configuration. */
  readonly responseTimeoutMs: number;
  /** `replay.holdBytes` and `replay.holdTime`. */
  readonly holdBytes: number;
  readonly holdMs: number;
  /** `dockerHost`; null: the engine that the environment names. */
  readonly engine: EngineAddress | null;
  /** `configService.allowPrivileged`. */
  readonly privileged: 'allowed' | 'forbidden';
}

export interface Config {
  readonly proxy: {
    readonly hostname: string;
    readonly port: number;
    /** The pseudonym in `Via`, or null: the field is not added. */
    readonly via: string | null;
  };
  readonly configService: {
    readonly hostname: string;
    readonly port: number;
    /** In the file as it is; `tokenFile` is read by the shell, which puts its content here. */
    readonly token: string | null;
    readonly tokenFile: string | null;
    readonly allowedHosts: readonly string[];
  };
  /** Processes that carry traffic; 0: one process does everything. `auto`: one a core. */
  readonly workers: number | 'auto';
  readonly log: { readonly level: LogLevel | null; readonly format: LogFormat | null };
  readonly cookies: {
    readonly version: string;
    readonly transition: string;
    readonly sameSite: 'Strict' | 'Lax' | 'None';
  };
  readonly putWaitMs: number;
  readonly ignorePaths: readonly string[];
  readonly timeouts: {
    readonly connectMs: number;
    readonly responseMs: number;
    readonly idleBodyMs: number;
    readonly clientHeaderMs: number;
    readonly clientIdleMs: number;
    readonly upstreamIdleMs: number;
    /** null: no bound on a whole exchange. */
    readonly totalMs: number | null;
    readonly drainMs: number;
    readonly tunnelDrainMs: number;
    /** A client that leaves after waiting this long for a version on trial counts against it. */
    readonly abandonAfterMs: number;
  };
  readonly limits: {
    readonly requestLineBytes: number;
    readonly headerBytes: number;
    readonly fieldCount: number;
    readonly connections: number;
    readonly bufferBytes: number;
    readonly concurrentAttempts: number;
  };
  readonly replay: {
    readonly bodyBytes: number;
    /** Further methods that may be sent twice, beside the idempotent ones. */
    readonly methods: readonly string[];
    /** Share of the exchanges in flight that may be attempts which add load, in [0, 1]. */
    readonly budget: number;
  };
  /** Where the release state is kept: null nowhere; a null `file` leaves the place to the shell, which puts it here. */
  readonly state: { readonly file: string | null } | null;
  readonly clusterDefaults: ClusterDefaults;
  readonly cluster: ClusterSpec;
  /** The file's `cluster` as it was written, numbers of versions as text. */
  readonly clusterAsWritten: unknown;
}

/** What the data plane needs of it: no secret, and nothing that a command may change. */
export type PlaneConfig = Pick<Config, 'proxy' | 'cookies' | 'ignorePaths' | 'timeouts' | 'limits' | 'replay'>;

/** Everything wrong with an input: each entry one line that names the path, the value and what is allowed. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly string[] }
  /** `forbidden`: nothing else is wrong than that it is not allowed here. */
  | { readonly ok: false; readonly errors: readonly string[]; readonly because?: 'forbidden' };
