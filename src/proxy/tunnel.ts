/**
 * A tunnel: two connections that have switched protocols, bytes passed both ways unread. When one side ends, what it sent
 * is flushed to the other and its end is passed on; each half closes by itself. A tunnel with one half closed that stays
 * silent is cut in time, as is one of which an end takes nothing.
 */
import type { VersionFigures } from '../core/messages.ts';
import type { Route } from '../core/routing/table.ts';
import type { TunnelEnd, TunnelSide } from './message-level.ts';
import type { Plane } from './plane.ts';
import type { Timed } from './sweeper.ts';

interface TunnelEnds {
  readonly route: Route;
  readonly client: TunnelEnd;
  readonly upstream: TunnelEnd;
}

/** How long the ends of a tunnel that is closed by order may take what is on its way to them. */
const CLOSE_MS = 2_000;

/** Joins the two ends; the tunnel lives until both are closed. */
export function openTunnel(plane: Plane, ends: TunnelEnds): void {
  const tunnel = new Tunnel(plane, ends);
  ends.client.tunnelTo(tunnel.side(ends.client, ends.upstream));
  ends.upstream.tunnelTo(tunnel.side(ends.upstream, ends.client));
}

export class Tunnel implements Timed {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly versionId: string;
  readonly #plane: Plane;
  readonly #ends: TunnelEnds;
  readonly #figures: VersionFigures;
  #endedSides = 0;
  #openSides = 2;
  /** Ends that have not taken what was written to them. */
  readonly #full = new Set<TunnelEnd>();
  /** Closed by order, and not because it took too long. */
  #ordered = false;

  constructor(plane: Plane, ends: TunnelEnds) {
    this.#plane = plane;
    this.#ends = ends;
    this.versionId = ends.route.id;
    this.#figures = plane.register.of(ends.route.id);
    this.#figures.tunnels += 1;
    plane.tunnels.add(this);
    plane.sweeper.add(this);
  }

  side(from: TunnelEnd, to: TunnelEnd): TunnelSide {
    return {
      bytes: (bytes) => {
        if (!to.tunnelWrite(bytes)) {
          this.#full.add(to);
          from.tunnelPause();
        } else if (this.#full.size > 0) {
          // That it sends is no excuse for an end that takes nothing.
          return;
        }
        this.#touch();
      },
      ended: () => {
        this.#endedSides += 1;
        this.#touch();
        to.tunnelEnd();
      },
      closed: () => {
        to.tunnelClose();
        this.#openSides -= 1;
        if (this.#openSides === 0) this.#forget();
        else this.#cutAfter(this.#plane.config.timeouts.idleBodyMs);
      },
      drained: () => {
        this.#full.delete(from);
        this.#touch();
        to.tunnelResume();
      },
    };
  }

  close(): void {
    if (this.#ordered) return;
    this.#cutAfter(CLOSE_MS);
    this.#ordered = true;
    this.#ends.client.tunnelClose();
    this.#ends.upstream.tunnelClose();
  }

  onDeadline(): void {
    if (!this.#ordered) this.#plane.counters.tunnelTimeouts += 1;
    this.#ends.client.tunnelCut();
    this.#ends.upstream.tunnelCut();
    this.#forget();
  }

  /** Bytes have come or gone. A tunnel that is whole and flows may then be silent without end. */
  #touch(): void {
    if (this.#openSides < 2) return;
    const isBound = this.#endedSides > 0 || this.#full.size > 0;
    this.#cutAfter(isBound ? this.#plane.config.timeouts.idleBodyMs : Number.POSITIVE_INFINITY);
  }

  #cutAfter(delayMs: number): void {
    if (!this.#ordered) this.deadlineMs = this.#plane.sweeper.nowMs + delayMs;
  }

  #forget(): void {
    if (!this.#plane.tunnels.delete(this)) return;
    this.#figures.tunnels -= 1;
    this.#plane.sweeper.delete(this);
  }
}
