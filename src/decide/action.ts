/** What is done about a decision, at the moment that it was asked for. */
import type { Action, Decision, Denial, Question } from '../flow.ts';

/**
 * | moment  | allow, monitor | deny                                                                            |
 * |---------|----------------|---------------------------------------------------------------------------------|
 * | connect | tunnel         | intercept, refuse or reset, as the denial says                                  |
 * | hello   | tunnel         | intercept or reset; the CONNECT was answered, so that `refuse` becomes reset    |
 * | request | forward        | block; 303 for a navigation where the denial says `immediate`; reset if it says |
 *
 * A moment or a manner that nobody foresaw resets.
 */
export function actionFor(decision: Decision, { moment, navigation }: Pick<Question, 'moment' | 'navigation'>): Action {
  switch (moment) {
    case 'connect':
      return decision.effect === 'deny' ? atConnect(decision.denial) : { kind: 'tunnel' };
    case 'hello':
      return decision.effect === 'deny' ? atHello(decision.denial) : { kind: 'tunnel' };
    case 'request':
      return decision.effect === 'deny' ? atRequest(decision.denial, navigation) : { kind: 'forward' };
    default:
      return { kind: 'reset' };
  }
}

function atConnect(denial: Denial): Action {
  switch (denial.manner) {
    case 'intercept':
      return { kind: 'intercept', denial };
    case 'refuse':
      return { kind: 'refuse', denial };
    case 'reset':
    default:
      return { kind: 'reset' };
  }
}

function atHello(denial: Denial): Action {
  return denial.manner === 'intercept' ? { kind: 'intercept', denial } : { kind: 'reset', error: denial.error };
}

function atRequest(denial: Denial, navigation: boolean): Action {
  switch (denial.manner) {
    case 'intercept':
    case 'refuse':
      return { kind: navigation && denial.redirect === 'immediate' ? 'redirect' : 'block', denial };
    case 'reset':
    default:
      return { kind: 'reset' };
  }
}
