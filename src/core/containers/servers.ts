/** Where a container is reached, from what is configured and what its engine tells. */
import { isIp } from '../config/address.ts';
import type { ContainerSpec, PortBinding, ServerAddress } from '../config/model.ts';

/** How an engine's machine is reached from here. */
export interface EngineView {
  /** `127.0.0.1` for an engine of this machine. */
  readonly host: string;
  /** True where Cutover itself runs in a container of this engine: then containers are reached at their own address. */
  readonly inside: boolean;
}

/** What an engine tells of a container that runs. */
export interface Reached {
  /** By `80/tcp`. */
  readonly ports: Readonly<Record<string, readonly { readonly hostIp: string; readonly hostPort: number }[]>>;
  /** Its own address in the network that Cutover is in too; null when there is none. */
  readonly address: string | null;
}

/** How the port to proxy is published, where the configuration leaves that open; null: not at all. */
export function publishFor(spec: ContainerSpec, { host, inside }: EngineView): PortBinding | null {
  if (spec.portToProxy === null || inside || spec.network === 'host' || bindingOf(spec) !== undefined) return null;
  return { port: `${spec.portToProxy}/tcp`, hostIp: isIp(host) ? host : '', hostPort: null };
}

/** Where its port to proxy is; null when it has none, or it can't be told. */
export function serverOf(spec: ContainerSpec, view: EngineView, reached: Reached): ServerAddress | null {
  const { portToProxy } = spec;
  if (portToProxy === null) return null;
  if (spec.network === 'host') return { host: view.host, port: portToProxy };
  const binding = bindingOf(spec);
  const port = binding?.port ?? `${portToProxy}/tcp`;
  if (view.inside) return reached.address === null ? null : { host: reached.address, port: Number(port.split('/')[0]) };
  const published = reached.ports[port] ?? [];
  const wanted = binding?.hostPort ?? null;
  const one = published.find(({ hostPort }) => wanted === null || hostPort === wanted);
  if (one === undefined) return null;
  const everywhere = ['', '0.0.0.0', '::'].includes(one.hostIp);
  return { host: everywhere ? view.host : one.hostIp, port: one.hostPort };
}

/** `portToProxy` names a host port that is published, else the container's own port. */
function bindingOf({ portToProxy, portBindings }: ContainerSpec): PortBinding | undefined {
  return (
    portBindings.find(({ port, hostPort }) => hostPort === portToProxy && port.endsWith('/tcp')) ??
    portBindings.find(({ port }) => port === `${portToProxy}/tcp`)
  );
}
