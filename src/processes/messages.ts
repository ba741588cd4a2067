/**
 * What the processes of one Cutover tell each other: main with control, main with each worker, and, relayed by main, control with
 * the workers. All of it is plain JSON. Control and workers may be of a newer Cutover than main (`cutover reload`), so each says
 * first which protocol it speaks.
 */
import type { LogFormat, LogLevel, PlaneConfig } from '../core/config/model.ts';
import type { CounterValues } from '../core/counters.ts';
import type { Answers, Difference, Finding, Outcome, VersionFigures } from '../core/messages.ts';
import type { CutOrder, Route } from '../core/routing/table.ts';
import type { TallyState } from './tally.ts';

/** Rises with every change that an older main, control or worker would misunderstand, signs of life (`system/parent.ts`) among them. */
export const PROTOCOL = 2;

/** Main numbers the workers it starts: 1, 2, … */
export type WorkerId = number;

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

export interface SocketAddress {
  readonly hostname: string;
  readonly port: number;
}

/** What main has to know of the configuration. */
export interface MainSettings {
  readonly proxy: SocketAddress;
  readonly configService: SocketAddress;
  /** 0: one process is to do everything, which is decided at start. */
  readonly workers: number;
  readonly log: LogSettings;
}

// ---- control and workers

/** How far a worker may raise a GRADUAL threshold by itself: it may do so while it is the only one. */
export interface WorkerRise {
  readonly versionId: string;
  readonly epoch: number;
  /** Answers that control has counted. */
  readonly raises: number;
  /** Percent up to which the threshold is durable ahead of its use. */
  readonly ceiling: number;
  /** How many of this worker's `Report.events` are in it. */
  readonly seen: number;
}

export type ToWorker =
  /** Another control is in charge: it takes reports from now on. */
  | { readonly kind: 'hello' }
  /** A routing table; the plans are made of it again. `number` is to be acknowledged. */
  | {
      readonly kind: 'table';
      readonly number: number;
      readonly routes: readonly Route[];
      readonly thresholds: readonly number[];
      readonly cut: readonly CutOrder[];
    }
  /** The same table with other thresholds. `number` is to be acknowledged, unless it is null. */
  | {
      readonly kind: 'ramp';
      readonly number: number | null;
      readonly thresholds: readonly number[];
      readonly rise: WorkerRise | null;
    };

/**
 * By how much the figures of a version grew since the last report; `inFlight` and `tunnels` as they are now. What is not there did not
 * change.
 */
export type FiguresGrowth = Partial<Readonly<VersionFigures>> & Pick<VersionFigures, 'versionId'>;

export type ReportEntry =
  | { readonly kind: 'answers'; readonly answers: Answers }
  /** `count` failures that are alike, but for their latency, which is that of the first. */
  | { readonly kind: 'outcome'; readonly outcome: Outcome; readonly count: number }
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'difference'; readonly difference: Difference };

/** What a worker has seen since its last report. */
export interface Report {
  readonly kind: 'report';
  readonly figures: readonly FiguresGrowth[];
  /** By how much counters grew, those that did. */
  readonly counters: CounterValues;
  /** In their order, but that answers are told before the failure which they preceded, whatever their order among themselves. */
  readonly entries: readonly ReportEntry[];
  /** Answers that could raise a threshold, and findings, of this worker since `hello`. */
  readonly events: number;
}

export type FromWorker = Report | { readonly kind: 'acknowledged'; readonly number: number };

// ---- main and a worker

export type MainToWorker =
  | { readonly kind: 'begin'; readonly config: PlaneConfig; readonly log: LogSettings }
  | { readonly kind: 'from-control'; readonly message: ToWorker }
  /** Control is gone, or about to be: reports wait for the next one. `quiet` follows. */
  | { readonly kind: 'hush' }
  /** With a further handle of the listening socket; `listen` follows. */
  | { readonly kind: 'socket' }
  /** With the listening socket. */
  | { readonly kind: 'listen' }
  | { readonly kind: 'drain'; readonly silenceMs: number }
  | { readonly kind: 'close' };

export type WorkerToMain =
  | { readonly kind: 'up'; readonly protocol: number }
  | { readonly kind: 'to-control'; readonly message: FromWorker }
  | { readonly kind: 'quiet' }
  /** A table is in force. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening' }
  /** The code of the system's error. */
  | { readonly kind: 'listen-failed'; readonly code: string }
  /** Nothing is in flight any more, and everything has been told. */
  | { readonly kind: 'ended' };

// ---- main and control

export type MainToControl =
  /** Read this configuration. `text`: what the file held, when main has read it already. */
  | {
      readonly kind: 'load';
      readonly path: string;
      readonly text: string | null;
      readonly level: LogLevel | null;
      readonly format: LogFormat | null;
    }
  /**
   * Be in charge of these workers; with the config service's socket. `document`: the state, where main keeps it. `tally`: what a
   * control before this one has added up.
   */
  | {
      readonly kind: 'serve';
      readonly workers: readonly WorkerId[];
      readonly document: string | null;
      readonly tally: TallyState | null;
    }
  /** Both ports are open: say so, with the configuration, as at every start. */
  | { readonly kind: 'opened'; readonly proxyPort: number; readonly configPort: number }
  /** The same for a control that takes the place of an earlier one. */
  | { readonly kind: 'open-already' }
  | { readonly kind: 'joined'; readonly worker: WorkerId }
  | { readonly kind: 'left'; readonly worker: WorkerId }
  | { readonly kind: 'from-worker'; readonly worker: WorkerId; readonly message: FromWorker }
  /** Put the `cluster` of this configuration in force: nothing else of it has changed. */
  | { readonly kind: 'apply'; readonly text: string }
  /** What became of the reload that was asked for. `put`: the id of the version that was put, if one was. */
  | { readonly kind: 'reloaded'; readonly ok: boolean; readonly text: string; readonly put: string | null }
  /** Take no more calls. */
  | { readonly kind: 'close-api' }
  /** Be no longer in charge: end all but the answers under way; `retired` follows. */
  | { readonly kind: 'retire' }
  /** Keep what was counted and end. */
  | { readonly kind: 'end' };

export type ControlToMain =
  | { readonly kind: 'up'; readonly protocol: number }
  | {
      readonly kind: 'loaded';
      readonly settings: MainSettings;
      readonly plane: PlaneConfig;
      readonly text: string;
      /** The same as long as nothing but the `cluster` changes. */
      readonly rest: string;
      /** The path of the state, or null. */
      readonly state: string | null;
    }
  /** It can't go on, and ends. */
  | { readonly kind: 'failed'; readonly lines: readonly string[]; readonly exitCode: number }
  /** `put`: the id of the configuration's version, unless that has been put before. */
  | { readonly kind: 'serving'; readonly put: string | null }
  | { readonly kind: 'to-worker'; readonly worker: WorkerId; readonly message: ToWorker }
  /** The worker does not acknowledge. */
  | { readonly kind: 'hung'; readonly worker: WorkerId }
  /** Keep this document of the state, for the next control. */
  | { readonly kind: 'keep'; readonly document: string }
  /** Keep this for the next control. */
  | { readonly kind: 'tally'; readonly tally: TallyState }
  | { readonly kind: 'applied'; readonly ok: boolean; readonly text: string; readonly put: string | null }
  /** Somebody asks for a reload. */
  | { readonly kind: 'reload' }
  | { readonly kind: 'retired' };
