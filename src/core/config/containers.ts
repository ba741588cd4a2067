/** The containers of a version, field by field as the thesis names them, and what came after it. */
import { z } from 'zod';
import { LXC_KEYS } from '../containers/lxc.ts';
import * as syntax from '../containers/syntax.ts';
import { isRange } from '../containers/watch.ts';
import { isIp } from './address.ts';
import * as is from './values.ts';

/** Where a Docker engine listens. Which keys belong together is checked in `container-rules.ts`. */
export const dockerHost = is.object({
  ip: is.host().optional(),
  port: is.port().optional(),
  certPath: is.text().optional(),
  socketPath: is.text().optional(),
});

const HOST_PORT = 'a port, as a number or a string of digits';

/** The engine's API has ports as strings; people write numbers. */
const hostPort = z.union(
  [
    is.whole(0, 65_535, HOST_PORT),
    is.checked(HOST_PORT, (value) => /^\d{0,5}$/.test(value) && Number(value) <= 65_535),
  ],
  { error: HOST_PORT },
);

const HOST_IP = 'an IP address, or nothing';
const hostIp = () => is.checked(HOST_IP, (value) => value === '' || isIp(value));

const binding = is.object({
  HostIp: hostIp().optional(),
  HostPort: hostPort.optional(),
  hostIp: hostIp().optional(),
  hostPort: hostPort.optional(),
});

const PORT_KEY = '"portBindings" keys must be of the form "80/tcp"';

const parsed = (error: string, parse: (text: string) => unknown) => is.checked(error, (value) => parse(value) !== null);

const name = () => is.checked('a name of letters, digits, "_", "." and "-"', syntax.isContainerName);
const volume = () => parsed(VOLUME, syntax.parseVolume);
const VOLUME = '"/path", "/host/path:/path" or "volume:/path", then ":ro" or ":rw" or nothing';

const LXC_KEY = `an LXC option that Docker still has (${LXC_KEYS.join(', ')})`;

/** As `docker run --health-cmd` and its companions. */
const healthcheck = is.object({
  test: z.union([is.text(), is.list(is.anyText()).min(1)], { error: 'a command, or a list of words' }),
  interval: is.timeout().default(30),
  timeout: is.timeout().default(30),
  retries: is.whole(1, 1000).default(3),
  startPeriod: is.seconds().default(0),
});

/** Newer images become versions by themselves. Which keys belong together is checked in `container-rules.ts`. */
const watch = is.object({
  tags: is
    .checked('a tag, with "*" for any characters and "?" for one', (value) => /^[\w.*?-]{1,128}$/.test(value))
    .optional(),
  semver: is.checked('a range of versions such as "^1.2" or ">=1.2 <2"', isRange).optional(),
  interval: is.between(1, 86_400 * 30).default(300),
  minAge: is.seconds().default(0),
});

const LABELS = 'an object of strings';
const LABEL = '"labels" keys must not be empty or begin with "cutover.", which is Cutover\'s own';

export const containerSchema = is.object({
  image: parsed('the name of an image, such as "app", "registry:5000/team/app" or "app:2.0"', syntax.parseImage),
  tag: is.checked('a tag of letters, digits, "_", "." and "-"', syntax.isTag).optional(),
  alwaysPull: is.flag().optional(),
  pullPolicy: is.word(['missing', 'always', 'never']).optional(),
  portToProxy: is.port().optional(),
  name: name().optional(),
  workingDir: is.text().optional(),
  entrypoint: is.list(is.anyText()).optional(),
  environment: is.list(is.checked('NAME=value', (value) => /^[^=]+=/.test(value))).optional(),
  cmd: is.list(is.anyText()).optional(),
  hostname: is.text().optional(),
  volumes: is.list(volume()).optional(),
  volumesFrom: is.list(parsed('a container name with ":ro", ":rw" or nothing', syntax.parseVolumesFrom)).optional(),
  portBindings: z
    .record(
      z.string().refine((key) => syntax.parsePortKey(key) !== null, { error: PORT_KEY }),
      is.list(binding),
      { error: (issue) => (issue.code === 'invalid_key' ? PORT_KEY : 'an object') },
    )
    .optional(),
  links: is.list(parsed('a container name, then ":alias" or nothing', syntax.parseLink)).optional(),
  user: is.text().optional(),
  memory: is.whole(0).optional(),
  cpuShares: is.whole(0).optional(),
  lxcConf: is
    .list(
      is.object({
        key: is.checked(LXC_KEY, (value) => LXC_KEYS.includes(value)),
        value: is.anyText(),
      }),
    )
    .optional(),
  privileged: is.flag().default(false),
  network: is
    .checked('the name of a network, "bridge", "host", "none" or "container:NAME"', syntax.isNetwork)
    .optional(),
  restartPolicy: parsed(
    '"no", "always", "unless-stopped", "on-failure" or "on-failure:N"',
    syntax.parseRestartPolicy,
  ).optional(),
  healthcheck: healthcheck.optional(),
  labels: z
    .record(
      z.string().refine((key) => key !== '' && !key.startsWith('cutover.'), { error: LABEL }),
      is.anyText(),
      { error: (issue) => (issue.code === 'invalid_key' ? LABEL : LABELS) },
    )
    .optional(),
  stopSignal: is.checked('a signal such as "SIGTERM"', syntax.isSignal).optional(),
  stopTimeout: is.whole(0, 3600).optional(),
  replicas: is.whole(1, 100).default(1),
  watch: watch.optional(),
  dockerHost: dockerHost.optional(),
});
