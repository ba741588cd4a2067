/**
 * The course of one exchange down its plan: which version is asked next after a failure, and whether the replay budget
 * allows it. The versions asked so far are the request's way down the chain, which its cookies follow.
 */
import type { Plan, Route, RoutingTable } from '../core/routing/table.ts';
import type { Failure } from './message-level.ts';
import type { Plane } from './plane.ts';

/** A failure after which another version may be asked. */
interface StepBack {
  /** The version that failed. */
  readonly from: Route;
  readonly phase: Failure['phase'];
  /** How many versions have failed this exchange. */
  readonly failures: number;
  /** An answer is kept that can be given instead. */
  readonly hasKept: boolean;
}

export class Course {
  readonly plan: Plan;
  readonly #plane: Plane;
  readonly #table: RoutingTable;
  /** The version asked now stands just before it. */
  #position: number;
  #askedAgain = false;
  /** Attempts that add load which this exchange was allowed. */
  #extra = 0;

  /** @param position how many versions of the plan are asked at once to begin with */
  constructor(plane: Plane, way: { readonly table: RoutingTable; readonly plan: Plan; readonly position: number }) {
    this.#plane = plane;
    this.#table = way.table;
    this.plan = way.plan;
    this.#position = way.position;
    plane.replayBudget.enter();
  }

  /** The version that admitted the request. */
  get admitted(): Route {
    return this.plan.order[0] as Route;
  }

  /** Another version could still be asked. */
  get hasNext(): boolean {
    return this.#position < this.plan.order.length;
  }

  /** The version to ask after this failure, or null when none is left or none may be asked. */
  next(after: StepBack): Route | null {
    const route = this.plan.order[this.#position];
    if (route !== undefined) {
      if (!this.#isAllowed(route, after)) return null;
      this.#position += 1;
      this.#plane.register.of(after.from.id).replays += 1;
      return route;
    }
    // Nothing is left but another server of the version that was asked first.
    const mayTryServer = this.admitted.servers.length > 1 && after.phase === 'sent' && !after.hasKept;
    if (!mayTryServer || this.#askedAgain || !this.#takeExtra(this.admitted)) return null;
    this.#askedAgain = true;
    return this.admitted;
  }

  /** The largest index in the chain that the request has met when this version answers. */
  reach(answered: Route, asked: 'one' | 'several'): number {
    const met = asked === 'several' ? this.plan.order.indexOf(answered) : this.#position - 1;
    return Math.min(this.plan.admitted + met, this.#table.chain.length - 1);
  }

  /** The exchange is over. */
  close(): void {
    this.#plane.replayBudget.leave(this.#extra);
  }

  /**
   * The first replay from a version on trial to an older one is never limited: that version carried this traffic a
   * moment ago. Nor is one after a failure in which nothing was sent, which added no load.
   */
  #isAllowed(next: Route, after: StepBack): boolean {
    const { chain } = this.#table;
    const isFirstStepBack =
      after.failures <= 1 && after.from.onTrial && chain.indexOf(next) > chain.indexOf(after.from);
    return isFirstStepBack || after.phase === 'unsent' || this.#takeExtra(after.from);
  }

  #takeExtra(from: Route): boolean {
    if (this.#plane.replayBudget.take()) {
      this.#extra += 1;
      return true;
    }
    this.#plane.register.of(from.id).budgetRefused += 1;
    return false;
  }
}
