/** What a mode decides: whether a version on its way to being released takes a request, and how many versions answer it. */
import type { Mode } from '../config/model.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Route, RoutingTable } from './table.ts';

export interface ModePolicy {
  readonly mode: Mode;
  /**
   * True when the version at `index` takes the request, false when the next older one is to decide. Asked only while the
   * version is not released and something older serves. Makes no object.
   */
  admits(table: RoutingTable, index: number, facts: RequestFacts): boolean;
  /**
   * The index of the next version that may take a request which the one at `index` has passed on; without it, of the next older
   * one. So what many versions pass on for the same reason is decided in one step.
   */
  passesTo?(table: RoutingTable, index: number, facts: RequestFacts): number;
  /** How many of `available` versions (this one and the older ones) are asked at once while it is not released: 1 for no fan-out. */
  legs(route: Route, available: number): number;
}
