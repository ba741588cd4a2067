/** What every part of one data plane shares. Made once by `data-plane.ts`; no part keeps state outside it. */

import type { Rotation } from '../core/balancing/round-robin.ts';
import type { PlaneConfig } from '../core/config/model.ts';
import type { Counters } from '../core/counters.ts';
import type { DateLine } from '../core/http/http-date.ts';
import type { MessageLimits } from '../core/http/message.ts';
import type { Difference, Finding, Outcome } from '../core/messages.ts';
import type { CookieLines } from '../core/routing/cookies.ts';
import type { ReplayBudget } from '../core/routing/replay-budget.ts';
import type { RoutingTable } from '../core/routing/table.ts';
import type { Clock } from '../system/clock.ts';
import type { Dice } from '../system/dice.ts';
import type { Log } from '../system/log.ts';
import type { Names } from '../system/names.ts';
import type { BufferBudget } from './buffer-budget.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Comparisons } from './comparisons.ts';
import type { ParserPool } from './http1/parser-pool.ts';
import type { WriteTurn } from './http1/write-turn.ts';
import type { Register } from './register.ts';
import type { Sweeper } from './sweeper.ts';
import type { Sockets } from './tcp/sockets.ts';
import type { Tunnel } from './tunnel.ts';
import type { UpstreamPool } from './upstream-pool.ts';

export interface Plane {
  readonly config: PlaneConfig;
  readonly messageLimits: MessageLimits;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly log: Log;
  readonly names: Names;
  readonly sink: OutcomeReports;
  readonly sweeper: Sweeper;
  readonly register: Register;
  readonly budget: BufferBudget;
  readonly cookies: CookieLines;
  readonly counters: Counters;
  readonly pool: UpstreamPool;
  readonly rotation: Rotation;
  readonly dateLine: DateLine;
  readonly tunnels: Set<Tunnel>;
  readonly sockets: Sockets;
  readonly buffers: BufferPool;
  readonly parsers: ParserPool;
  readonly writes: WriteTurn;
  /** The table in force. An exchange reads it once, at admission. */
  table: RoutingTable;
  readonly replayBudget: ReplayBudget;
  readonly comparisons: Comparisons;
  /** True once the plane is being closed: each further answer ends its connection. */
  draining: boolean;
  /** Answers of a fan-out that nobody waits for any more. */
  droppedAnswers: number;
}

/** Where the outcome of each attempt goes: the control plane's observer. */
export interface OutcomeReports {
  outcome(outcome: Outcome): void;
  finding(finding: Finding): void;
  difference(difference: Difference): void;
}
