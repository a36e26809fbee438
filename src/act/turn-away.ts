/** Answers what never became an attempt: invalid requests, and those over a limit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../errors.ts';
import type { Answer, Rejected } from '../flow.ts';
import { reset } from '../reset.ts';
import { answerAndEnd, sendAnswer } from './write.ts';

type RejectedFacts = Omit<Rejected, 'code' | 'detail'>;

export interface TurnAwayOptions {
  readonly failed: (code: ErrorCode, origin: RejectedFacts) => Answer;
  readonly record: (rejected: Rejected) => void;
  readonly surprised: (error: unknown) => void;
}

export interface TurnAway {
  /** Answers on a raw connection and closes it. */
  readonly reject: (socket: Duplex, origin: RejectedFacts, code: ErrorCode, detail: string) => void;
  /** Records and resets a connection on which no answer can be sent. */
  readonly drop: (socket: Duplex, origin: RejectedFacts, code: ErrorCode, detail: string) => void;
  readonly rejectRequest: (
    req: IncomingMessage | Http2ServerRequest,
    res: ServerResponse | Http2ServerResponse,
    origin: RejectedFacts,
    code: ErrorCode,
    detail: string,
  ) => void;
}

export function createTurnAway({ failed, record, surprised }: TurnAwayOptions): TurnAway {
  const note = (
    { id, at, clientAddress, clientPort, asked, facts }: RejectedFacts,
    code: ErrorCode,
    detail: string,
  ): Answer => {
    const rejected = { id, at, clientAddress, clientPort, code, detail, asked, facts };
    record(rejected);
    return failed(code, rejected);
  };
  return {
    reject: (socket, origin, code, detail) => {
      answerAndEnd(socket, note(origin, code, detail)).catch(surprised);
    },
    drop: (socket, origin, code, detail) => {
      note(origin, code, detail);
      reset(socket);
    },
    rejectRequest: (req, res, origin, code, detail) => {
      sendAnswer(req, res, note(origin, code, detail)).catch(surprised);
    },
  };
}
