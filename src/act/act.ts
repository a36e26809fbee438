/** Executes decisions: dispatches each action to its implementation, and rejects one that does not fit the moment. */
import { SallyportError, type ErrorCode } from '../errors.ts';
import type {
  Answer,
  Answerable,
  Arrival,
  Decided,
  Denial,
  Hello,
  MayReach,
  Outcome,
  Target,
  TunnelArrival,
  UpgradeArrival,
} from '../flow.ts';
import { block, blockUpgrade, type UpgradeDenial } from './block.ts';
import type { Forward } from './forward.ts';
import { intercept, speaksInClear, type Interceptor, type MintLimit } from './intercept.ts';
import { resetOutcome } from './outcome.ts';
import { answerAndClose, answerEstablished, type Opened, type Tunnel, type Upstream } from './tunnel.ts';
import { answerHere, isFinalRecipient } from './final-recipient.ts';
import { reset } from '../reset.ts';
import { answerLone, sendAnswer } from './write.ts';
import { hasWrongScheme, refuseScheme } from './wrong-scheme.ts';

/** Builds the answers for denials and failures; implemented in `answers/`. */
export interface ActAnswers {
  readonly denied: (denial: Denial, arrival: Answerable) => Answer;
  readonly redirected: (denial: Denial, arrival: Answerable) => Answer;
  readonly upgradeDenied: (denial: Denial, arrival: UpgradeArrival) => UpgradeDenial;
  readonly connectDenied: (denial: Denial, arrival: TunnelArrival) => Answer;
  readonly failed: (code: ErrorCode, arrival: Arrival) => Answer;
}

export interface ActOptions {
  readonly tunnel: Tunnel;
  readonly interceptor: Interceptor;
  readonly room: MintLimit;
  /** Ports on which an allowed tunnel is read request by request, unless it carries TLS. */
  readonly httpPorts: readonly number[];
  readonly forward: Forward;
  readonly addresses: Act['addresses'];
  readonly upgrade: (arrival: UpgradeArrival, mayReach?: MayReach) => Promise<Outcome>;
  readonly answers: ActAnswers;
}

export interface Act {
  /** Resolves a name, synchronously if the result is cached; an empty list if it does not resolve. Never throws. */
  readonly addresses: (target: Target) => readonly string[] | Promise<readonly string[]>;
  /** Handles a CONNECT before anything inside the tunnel has been read. */
  readonly open: (decided: Decided<TunnelArrival>) => Opened | Promise<Opened>;
  /** Handles the tunnel once its hello has been read. Null: its requests are recorded individually. */
  readonly carry: (
    decided: Decided<TunnelArrival>,
    hello: Hello,
    upstream: Upstream | null,
  ) => Outcome | Promise<Outcome | null>;
  readonly request: (decided: Decided<Answerable>) => Promise<Outcome>;
  readonly upgrade: (decided: Decided<UpgradeArrival>) => Promise<Outcome>;
  /** Ends an attempt after an unexpected error, with an answer if one can still be sent. */
  readonly abandon: (arrival: Arrival) => Promise<Pick<Outcome, 'status' | 'bytesOut'>>;
}

function wrongMoment(kind: string): never {
  throw new SallyportError('internal_error', `the action "${kind}" does not fit this moment`);
}

const unanswered = { status: null, bytesOut: 0 };
const listening: Opened = { kind: 'open', upstream: null };

export function createAct(options: ActOptions): Act {
  const { tunnel, forward, answers } = options;

  return {
    addresses: options.addresses,

    open({ arrival, action, mayReach }) {
      const { socket } = arrival;
      switch (action.kind) {
        case 'tunnel':
          return tunnel.open(arrival, mayReach);
        case 'listen':
          answerEstablished(socket);
          return listening;
        case 'intercept':
          if (options.room.full(arrival.target))
            return answerAndClose(socket, answers.failed('certificate_limit', arrival), 'certificate_limit');
          answerEstablished(socket);
          return listening;
        case 'refuse':
          return answerAndClose(socket, answers.connectDenied(action.denial, arrival), null);
        case 'reset':
          reset(socket);
          return { kind: 'ended', outcome: resetOutcome() };
        case 'forward':
        case 'block':
        case 'redirect':
          return wrongMoment(action.kind);
      }
    },

    carry(decided, hello, upstream) {
      const { arrival, action } = decided;
      switch (action.kind) {
        case 'tunnel':
          if (!speaksInClear(hello, arrival.target.port, options.httpPorts))
            return tunnel.carry(decided, hello, upstream);
          // Its requests are dialled one by one; the connection made for the CONNECT is not reused.
          upstream?.destroy();
          return intercept(options.interceptor, options.room, arrival, null, hello);
        case 'intercept':
          upstream?.destroy();
          return intercept(options.interceptor, options.room, arrival, action.denial, hello);
        case 'reset':
          upstream?.destroy();
          reset(arrival.socket);
          return resetOutcome(200, action.error);
        case 'listen':
        case 'refuse':
        case 'forward':
        case 'block':
        case 'redirect':
          return wrongMoment(action.kind);
      }
    },

    request({ arrival, action, mayReach }) {
      switch (action.kind) {
        case 'forward':
          if (!('res' in arrival)) return wrongMoment(action.kind);
          if (hasWrongScheme(arrival)) return refuseScheme(arrival, answers.failed);
          return isFinalRecipient(arrival) ? answerHere(arrival, answers.failed) : forward.forward(arrival, mayReach);
        case 'block':
          return block(arrival, answers.denied(action.denial, arrival));
        case 'redirect':
          return block(arrival, answers.redirected(action.denial, arrival));
        case 'reset':
          reset('res' in arrival ? arrival.req.socket : arrival.socket);
          return Promise.resolve(resetOutcome());
        case 'tunnel':
        case 'listen':
        case 'intercept':
        case 'refuse':
          return wrongMoment(action.kind);
      }
    },

    async upgrade({ arrival, action, mayReach }) {
      switch (action.kind) {
        case 'forward':
          return hasWrongScheme(arrival) ? refuseScheme(arrival, answers.failed) : options.upgrade(arrival, mayReach);
        case 'block':
        case 'redirect':
          return blockUpgrade(arrival, answers.upgradeDenied(action.denial, arrival));
        case 'reset':
          reset(arrival.socket);
          return resetOutcome();
        case 'tunnel':
        case 'listen':
        case 'intercept':
        case 'refuse':
          return wrongMoment(action.kind);
      }
    },

    async abandon(arrival) {
      if (arrival.kind !== 'request') {
        // A tunnel may or may not have been answered with 200; RST is correct in both cases, a bare FIN in neither.
        reset(arrival.socket);
        return unanswered;
      }
      const answer = answers.failed('internal_error', arrival);
      const { status } = answer;
      if (!('res' in arrival)) {
        if (!arrival.socket.writableEnded) return { status, bytesOut: answerLone(arrival, answer) };
        reset(arrival.socket);
        return unanswered;
      }
      if (!arrival.res.headersSent) return { status, bytesOut: await sendAnswer(arrival.req, arrival.res, answer) };
      reset(arrival.req.socket);
      return unanswered;
    },
  };
}
