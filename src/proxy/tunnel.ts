/**
 * A tunnel: two connections that have switched protocols, bytes passed both ways unread. When one side ends, what it sent
 * is flushed to the other and its end is passed on; each half closes by itself. A tunnel with one half closed that stays
 * silent is closed in time.
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
        this.#touch();
        if (!to.tunnelWrite(bytes)) from.tunnelPause();
      },
      ended: () => {
        this.#endedSides += 1;
        this.#touch();
        to.tunnelEnd();
      },
      closed: () => {
        to.tunnelDestroy();
        this.#openSides -= 1;
        if (this.#openSides === 0) this.#forget();
      },
      drained: () => to.tunnelResume(),
    };
  }

  close(): void {
    this.#ends.client.tunnelDestroy();
    this.#ends.upstream.tunnelDestroy();
  }

  onDeadline(): void {
    this.close();
    this.#forget();
  }

  #touch(): void {
    if (this.#endedSides === 0) return;
    this.deadlineMs = this.#plane.clock.nowMs() + this.#plane.config.timeouts.idleBodyMs;
  }

  #forget(): void {
    if (!this.#plane.tunnels.delete(this)) return;
    this.#figures.tunnels -= 1;
    this.#plane.sweeper.delete(this);
  }
}
