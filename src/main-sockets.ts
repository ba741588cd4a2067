/** The listening sockets of the main process: those that a service manager passed, and for the rest those of the configuration. */
import { portFaultText } from './core/port-fault.ts';
import type { MainSettings } from './processes/messages.ts';
import type { Sockets } from './processes/sockets.ts';
import { takeLock } from './store/lock.ts';
import { realClock } from './system/clock.ts';
import { realFiles } from './system/files.ts';
import { bindSocket, type ListeningSocket, socketOfDescriptor } from './system/listening-socket.ts';
import type { PassedSockets } from './system/service-manager.ts';

type What = 'config service' | 'proxy';

/** How long, and how often in it, a port is asked for at start that is taken. */
const PORT_WAIT_MS = 2_000;
const PORT_STEP_MS = 50;

interface Address {
  readonly hostname: string;
  readonly port: number;
}

export class MainSockets {
  /** What was passed stays, whatever address a configuration names. */
  readonly #passed: Readonly<Record<What, ListeningSocket | null>>;

  /** Throws a clear error when what was passed is no TCP socket. */
  constructor({ proxy, config }: PassedSockets) {
    const taken = (fd: number | null) => (fd === null ? null : socketOfDescriptor(fd));
    this.#passed = { proxy: taken(proxy), 'config service': taken(config) };
  }

  /**
   * Rejects with a clear error.
   *
   * @param state the path of the state, or null
   */
  async open(settings: Pick<MainSettings, 'proxy' | 'configService'>, state: string | null): Promise<Sockets> {
    const configService = await this.#first('config service', settings.configService, state);
    try {
      return { configService, proxy: await this.#first('proxy', settings.proxy, state) };
    } catch (error) {
      configService.close();
      throw error;
    }
  }

  /** The socket for an address of another configuration. Rejects with a clear error. */
  async bind(what: What, { hostname: host, port }: Address): Promise<ListeningSocket> {
    const passed = this.#passed[what];
    if (passed !== null) return passed;
    return bindSocket(host, port).catch((error: NodeJS.ErrnoException) => {
      throw new Error(portFaultText(what, { host, port }, error), { cause: error });
    });
  }

  /**
   * The children of a Cutover that was killed need a moment to let go of its ports; whoever starts it anew at once (a service
   * manager, say) is not to find them taken.
   */
  async #first(what: What, address: Address, state: string | null): Promise<ListeningSocket> {
    for (let waitedMs = 0; ; waitedMs += PORT_STEP_MS) {
      try {
        return await this.bind(what, address);
      } catch (error) {
        if (isTaken(error) && waitedMs < PORT_WAIT_MS) {
          await new Promise<void>((resolve) => realClock.after(PORT_STEP_MS, resolve));
          continue;
        }
        await refuseSecond(state);
        throw error;
      }
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EADDRINUSE';
}

/** A port that is taken may be taken by a Cutover on the very same state: that says more. */
async function refuseSecond(path: string | null): Promise<void> {
  if (path === null) return;
  const realPath = await realFiles.realPath(path).catch(() => null);
  if (realPath === null) return;
  const lock = await takeLock(realPath);
  if (lock === null) throw new Error(`The state ${JSON.stringify(realPath)} is in use by another Cutover`);
  await lock.release();
}
