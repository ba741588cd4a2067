/**
 * The options of the LXC driver, which Docker no longer has: those that its own engine can still do, and how. The thesis's
 * `lxcConf` names them.
 */

interface LxcOption {
  /** The field of `HostConfig` it becomes. */
  readonly field: string;
  /** The value for that field; null when it is none of this option. */
  readonly read: (value: string) => string | number | null;
}

const whole = (value: string): number | null => (/^-?\d{1,15}$/.test(value) ? Number(value) : null);
const list = (value: string): string | null => (/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(value) ? value : null);
const rule = (value: string): string | null => (/^[abc] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(value) ? value : null);

/** Bytes, with the suffix that the kernel takes. */
function bytes(value: string): number | null {
  const [, digits, unit = ''] = /^(\d{1,15})([kKmMgG]?)$/.exec(value) ?? [];
  return digits === undefined ? null : Number(digits) * 1024 ** ' kmg'.indexOf(unit.toLowerCase() || ' ');
}

const OPTIONS: Readonly<Record<string, LxcOption>> = {
  'lxc.cgroup.cpuset.cpus': { field: 'CpusetCpus', read: list },
  'lxc.cgroup.cpuset.mems': { field: 'CpusetMems', read: list },
  'lxc.cgroup.cpu.shares': { field: 'CpuShares', read: whole },
  'lxc.cgroup.cpu.cfs_period_us': { field: 'CpuPeriod', read: whole },
  'lxc.cgroup.cpu.cfs_quota_us': { field: 'CpuQuota', read: whole },
  'lxc.cgroup.memory.limit_in_bytes': { field: 'Memory', read: bytes },
  'lxc.cgroup.memory.soft_limit_in_bytes': { field: 'MemoryReservation', read: bytes },
  'lxc.cgroup.memory.memsw.limit_in_bytes': { field: 'MemorySwap', read: bytes },
  'lxc.cgroup.blkio.weight': { field: 'BlkioWeight', read: whole },
  'lxc.cgroup.pids.max': { field: 'PidsLimit', read: whole },
  'lxc.cgroup.devices.allow': { field: 'DeviceCgroupRules', read: rule },
};

export const LXC_KEYS: readonly string[] = Object.keys(OPTIONS);

export interface LxcEntry {
  readonly key: string;
  readonly value: string;
}

/** True when the value is one that this option can have. */
export function isLxcValue({ key, value }: LxcEntry): boolean {
  return OPTIONS[key]?.read(value) != null;
}

/** The field that an option sets; undefined for one that is not known. */
export function lxcField(key: string): string | undefined {
  return OPTIONS[key]?.field;
}

/** The fields of `HostConfig` that the entries come to. Device rules add up; of others the last one counts. */
export function lxcToHostConfig(entries: readonly LxcEntry[]): Readonly<Record<string, unknown>> {
  const config: Record<string, unknown> = {};
  const rules: unknown[] = [];
  for (const { key, value } of entries) {
    const option = OPTIONS[key];
    if (option === undefined) continue;
    if (option.field === 'DeviceCgroupRules') rules.push(option.read(value));
    else config[option.field] = option.read(value);
  }
  return rules.length === 0 ? config : { ...config, DeviceCgroupRules: rules };
}
