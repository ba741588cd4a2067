/** Somebody who works with a WordPress in a real browser, and notices every error. */
import { type Browser, chromium, type Page } from 'playwright-core';

const USER = 'admin';
const PASSWORD = 'correct horse battery staple';

/**
 * What a browser gives up by itself: what it was asking for when its user went on, and all that it is loading when an interface of
 * this machine comes or goes, as with each container that its engine starts or stops.
 */
const NETWORK_CHANGED = 'net::ERR_NETWORK_CHANGED';
const OWN_DOING: readonly string[] = ['net::ERR_ABORTED', NETWORK_CHANGED];

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--no-proxy-server'] });
}

/** Answers WordPress's questions after it was set up; `site` is where it is reached. Waits for its database. */
export async function installWordPress(site: string): Promise<void> {
  const form = {
    weblog_title: 'Cutover',
    user_name: USER,
    admin_password: PASSWORD,
    admin_password2: PASSWORD,
    pw_weak: 'on',
    admin_email: 'admin@example.org',
    blog_public: '0',
    language: '',
  };
  for (;;) {
    const answer = await fetch(`${site}/wp-admin/install.php?step=2`, {
      method: 'POST',
      body: new URLSearchParams(form),
    }).catch(() => null);
    const text = await answer?.text();
    if (text?.includes('WordPress has been installed')) return;
    if (answer?.status === 200) throw new Error(`Installing WordPress failed: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export class WordPressUser {
  /** What went wrong before this user's eyes or behind them, each with its address. */
  readonly errors: string[] = [];
  readonly #site: string;
  readonly #page: Page;
  #comments = 0;

  private constructor(site: string, page: Page) {
    this.#site = site;
    this.#page = page;
    page.on('response', (answer) => {
      if (answer.status() >= 400) this.errors.push(`${answer.status()} ${answer.url()}`);
    });
    page.on('requestfailed', (request) => {
      const error = request.failure()?.errorText;
      if (error === undefined || !OWN_DOING.includes(error)) this.errors.push(`${error} ${request.url()}`);
    });
  }

  /** Logs in, in a browser window of its own. */
  static async logIn(browser: Browser, site: string): Promise<WordPressUser> {
    const context = await browser.newContext();
    // Pictures of users come from elsewhere.
    await context.route(
      (url) => url.origin !== site,
      (route) => route.fulfill({ status: 204 }),
    );
    const page = await context.newPage();
    const user = new WordPressUser(site, page);
    await page.goto(`${site}/wp-login.php`);
    await page.fill('#user_login', USER);
    await page.fill('#user_pass', PASSWORD);
    await page.click('#wp-submit');
    await page.waitForURL(`${site}/wp-admin/`);
    return user;
  }

  /** Looks at the dashboard, which only a user who is logged in may see; gives the version that it names. */
  async lookAtDashboard(): Promise<string> {
    await this.#goTo('/wp-admin/');
    const greeting = await this.#page.textContent('#wp-admin-bar-my-account');
    if (!greeting?.includes(USER)) this.errors.push(`The dashboard greets ${greeting}`);
    const footer = await this.#page.textContent('#footer-upgrade');
    return /[\d.]+/.exec(footer ?? '')?.[0] ?? '';
  }

  /** Writes a comment under the first post, and sees it there. */
  async comment(): Promise<void> {
    this.#comments += 1;
    const text = `Comment ${this.#comments} ${Math.random()}`;
    await this.#goTo('/?p=1');
    await this.#page.fill('#comment', text);
    await this.#page.click('#submit');
    await this.#page.waitForSelector(`text=${text}`);
    // All of the page belongs to one version, as long as nothing changes while it loads.
    await this.#page.waitForLoadState('load');
  }

  leave(): Promise<void> {
    return this.#page.context().close();
  }

  async #goTo(path: string): Promise<void> {
    for (;;) {
      try {
        await this.#page.goto(`${this.#site}${path}`);
        return;
      } catch (error) {
        if (!(error as Error).message.includes(NETWORK_CHANGED)) throw error;
      }
    }
  }
}
