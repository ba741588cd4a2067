/** The listening sockets that main holds, and which of them a reload replaces. */
import type { ListeningSocket } from '../system/listening-socket.ts';
import type { MainSettings, SocketAddress } from './messages.ts';

export interface Sockets {
  readonly proxy: ListeningSocket;
  readonly configService: ListeningSocket;
}

/** Binds a socket; rejects with a clear error. */
export type Bind = (what: 'proxy' | 'config service', address: SocketAddress) => Promise<ListeningSocket>;

/** Those that are held, and what the configuration said of them. */
interface Held {
  readonly sockets: Sockets;
  readonly loaded: { readonly settings: Addresses };
}

type Addresses = Pick<MainSettings, 'proxy' | 'configService'>;

/** Those of another configuration: what has the same address stays. */
export async function socketsFor(
  { proxy, configService }: Addresses,
  { sockets, loaded: { settings } }: Held,
  bind: Bind,
): Promise<Sockets> {
  const service = isSame(configService, settings.configService)
    ? sockets.configService
    : await bind('config service', configService);
  try {
    const own = isSame(proxy, settings.proxy) ? sockets.proxy : await bind('proxy', proxy);
    return { configService: service, proxy: own };
  } catch (error) {
    if (service !== sockets.configService) service.close();
    throw error;
  }
}

/** Closes those that are not among the kept ones. */
export function closeOthers(sockets: Sockets, kept: Sockets): void {
  if (sockets.proxy !== kept.proxy) sockets.proxy.close();
  if (sockets.configService !== kept.configService) sockets.configService.close();
}

function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return a.hostname === b.hostname && a.port === b.port;
}
