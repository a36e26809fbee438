/** Renders the pages of the pages port from the state of the gateway. */
import { isIP } from 'node:net';
import type { Verified } from '../answers/context.ts';
import { homePage, type HomeModel } from '../answers/home.ts';
import { assistantPage, blockedDetailsPage, notFoundPage, type BlockFacts, type CameFrom } from '../answers/people.ts';
import { phrasesFor, type Language } from '../answers/phrases.ts';
import type { Company } from '../answers/settings.ts';
import type { Pages } from './pages-server.ts';

export interface PeopleOptions {
  readonly company: () => Company;
  /** For browsers that accept none of the languages of the pages. */
  readonly language: () => Language;
  readonly home: () => Omit<HomeModel, 'company' | 'adminUrl' | 'blocks' | 'trusted' | 'phrases'>;
  /** Name of the assistant that the built-in page represents. */
  readonly assistantName: () => string;
  readonly verify: (token: string) => Verified;
  /** A vendor's display name, or null if the catalogue does not know it. */
  readonly vendorName: (id: string | null) => string | null;
  readonly findBlock: (id: string, clientAddress: string) => BlockFacts | null;
  /** The client's recent blocks, newest first. */
  readonly blocksOf: (clientAddress: string) => HomeModel['blocks'];
  /** Whether a program at that address has accepted our certificates; null: unknown. */
  readonly trusted: (clientAddress: string) => boolean | null;
}

/**
 * Whether the page was requested by a name that nobody outside can point here. A web page could otherwise have its own
 * name resolve to this server, and read as its own what a visitor was denied (DNS rebinding).
 */
function isOwnName(host: string, pagesUrl: string): boolean {
  return isIP(host) !== 0 || /^[^.]+$/.test(host) || host === new URL(pagesUrl).hostname.toLowerCase();
}

export function createPeople(options: PeopleOptions): Pages {
  const cameFrom = (token: string | null): CameFrom => {
    if (token === null) return { kind: 'nowhere' };
    const verified = options.verify(token);
    if (!verified.ok) return { kind: 'unverified', why: verified.why };
    const { vendor, id } = verified.payload;
    return { kind: 'block', vendor: options.vendorName(vendor), id, detailsUrl: `/blocked/${id}` };
  };
  return {
    home({ address, host, acceptLanguage }) {
      const home = options.home();
      return homePage({
        phrases: phrasesFor(acceptLanguage, options.language()),
        ...home,
        company: options.company(),
        adminUrl: null,
        blocks: isOwnName(host, home.pacUrl) ? options.blocksOf(address) : [],
        trusted: options.trusted(address),
      });
    },
    assistant: (token, { acceptLanguage }) =>
      assistantPage({
        company: options.company(),
        name: options.assistantName(),
        from: cameFrom(token),
        phrases: phrasesFor(acceptLanguage, options.language()),
      }),
    blocked(id, { address, acceptLanguage }) {
      const block = options.findBlock(id, address);
      const shown = { company: options.company(), acceptLanguage, language: options.language() };
      return block === null ? null : blockedDetailsPage({ ...shown, block });
    },
    notFound: ({ acceptLanguage }) => notFoundPage(options.company(), phrasesFor(acceptLanguage, options.language())),
  };
}
