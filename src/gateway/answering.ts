/** The answers of the configuration in force. */
import type { ActAnswers } from '../act/act.ts';
import { serialize } from '../act/write.ts';
import { createAnswers } from '../answers/answers.ts';
import type { Config } from '../config/schema.ts';
import type { Answer, Arrival, Rejected } from '../flow.ts';
import type { ErrorCode } from '../errors.ts';

type Answers = ReturnType<typeof createAnswers>;

export interface Answering extends ActAnswers {
  /** The answer to a failure before there was an arrival. */
  readonly turnedAway: (code: ErrorCode, rejected: Pick<Rejected, 'id' | 'at' | 'asked' | 'facts'>) => Answer;
  /** Prepares the answers for another configuration or pages URL; the result puts them into force. */
  readonly toFollow: (config: Config, pagesUrl: string) => () => void;
}

function about(arrival: Arrival): Parameters<Answers['denied']>[1] {
  return {
    id: arrival.id,
    at: arrival.at,
    target: arrival.target,
    facts: arrival.kind === 'tunnel' ? null : arrival.facts,
  };
}

/** @param sign makes the signed context that a redirect carries to the assistant. */
export function createAnswering(
  config: Config,
  pagesUrl: string,
  sign: Parameters<typeof createAnswers>[0]['sign'],
): Answering {
  const answersOf = ({ pages, policy }: Config, url: string): Answers =>
    createAnswers(
      {
        viaName: 'sallyport',
        company: pages.company,
        language: pages.language,
        timeZone: policy.timeZone,
        pagesUrl: url,
        sign,
      },
      serialize,
    );
  let answers = answersOf(config, pagesUrl);
  return {
    denied: (denial, arrival) => answers.denied(denial, about(arrival)),
    redirected: (denial, arrival) => answers.redirected(denial, about(arrival)),
    upgradeDenied: (denial, arrival) => answers.upgradeDenied(denial, about(arrival)),
    connectDenied: (denial, arrival) => answers.connectDenied(denial, about(arrival)),
    failed: (code, arrival) => answers.failed(code, about(arrival)),
    turnedAway: (code, { id, at, asked, facts = null }) =>
      answers.failed(code, asked === undefined ? { id, at, target: null, facts } : about(asked)),
    toFollow(next, url) {
      const made = answersOf(next, url);
      return () => {
        answers = made;
      };
    },
  };
}
