/** Converts the policy as written to the document that `decide/` compiles. */
import type { z } from 'zod';
import { resolve } from 'node:path';
import type { AssistantChoice, Exception, PolicyDocument, Rule, Schedule, Site, What } from '../flow.ts';
import { toLists } from './lists-schema.ts';
import { resolveMoment } from './moment.ts';
import { whatKeys } from './policy-schema.ts';
import type { what } from './policy-schema.ts';
import type { PolicyFile } from './policy-schema.ts';
import { plainText } from './texts.ts';
import { parseWindow } from './windows.ts';
import { zoneOf } from './zone.ts';

type RuleEntry = NonNullable<PolicyFile['rules']>[number];
type ExceptionEntry = PolicyFile['exceptions'][number];
type ChoiceEntry = PolicyFile['assistant_for'][number];

type WhatGiven = { readonly [K in keyof typeof what]?: z.output<(typeof what)[K]> | undefined };

/** The part of a rule or exception about services and hosts. */
export function toWhat(entry: WhatGiven): What {
  return Object.fromEntries(whatKeys.filter((key) => entry[key] !== undefined).map((key) => [key, entry[key]]));
}

/** The time zone and holidays of an entry: its own, those of its sites, or those of the file. */
function calendarOf(
  entry: RuleEntry | ExceptionEntry,
  file: PolicyFile,
): { readonly zone: string; readonly holidays: ReadonlySet<number> } {
  const sites = (entry.sites ?? []).flatMap((id) => file.sites[id] ?? []);
  const zone = entry.time_zone ?? sites[0]?.time_zone ?? file.time_zone;
  return { zone, holidays: new Set([...file.holidays, ...sites.flatMap((site) => site.holidays ?? [])]) };
}

function timesOf(entry: RuleEntry | ExceptionEntry, file: PolicyFile): Pick<Rule, 'from' | 'until' | 'schedule'> {
  const { from, until, windows, holidays: onHolidays } = entry;
  const { zone, holidays } = calendarOf(entry, file);
  const at = (moment: RuleEntry['from']): number | undefined =>
    moment === undefined ? undefined : resolveMoment(moment, zone);
  const schedule: Schedule | undefined =
    windows === undefined && onHolidays === undefined
      ? undefined
      : {
          zone: zoneOf(zone),
          windows: windows ?? [parseWindow('daily')],
          holidays,
          onHolidays: onHolidays ?? 'as-usual',
        };
  return { from: at(from), until: at(until), schedule };
}

function toRule(entry: RuleEntry, file: PolicyFile): Rule {
  return {
    id: entry.id,
    what: toWhat(entry),
    groups: entry.groups,
    sites: entry.sites,
    ...timesOf(entry, file),
    effect: entry.effect,
    reason: plainText(entry.reason),
    reasons: Object.keys(entry.reason).length > 1 ? entry.reason : undefined,
    assistant: entry.assistant,
    manner: entry.manner,
    redirect: entry.redirect,
    link: entry.link,
    details: entry.details,
    owner: entry.owner,
    clearSiteData: entry.clear_site_data,
    letAccountCallsPass: entry.let_account_calls_pass,
    onChange: entry.open_tunnels,
  };
}

function toException(entry: ExceptionEntry, file: PolicyFile): Exception {
  return {
    id: entry.id,
    what: toWhat(entry),
    groups: entry.groups,
    sites: entry.sites,
    ...timesOf(entry, file),
    until: resolveMoment(entry.until, calendarOf(entry, file).zone),
    approvedBy: entry.approved_by,
    ticket: entry.ticket,
    reason: entry.reason,
  };
}

function toChoice(entry: ChoiceEntry): AssistantChoice {
  return { what: toWhat(entry), groups: entry.groups, sites: entry.sites, assistant: entry.assistant };
}

function mapped<T, R>(record: Readonly<Record<string, T>>, change: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([id, value]) => [id, change(value)]));
}

/**
 * Days become instants, in the time zone of the rule, of its site or of the file.
 *
 * @param path makes paths absolute, relative to the policy's folder; by default to the working directory.
 */
export function toPolicy(file: PolicyFile, path: (name: string) => string = (name) => resolve(name)): PolicyDocument {
  const { defaults } = file;
  return {
    timeZone: file.time_zone,
    assistants: Object.entries(file.assistants).map(([id, assistant]) => ({ id, ...assistant })),
    defaultAssistant: file.default_assistant ?? null,
    assistantFor: file.assistant_for.map(toChoice),
    groups: mapped(file.groups, ({ networks = [], users = [], forwarded = [] }) => ({ networks, users, forwarded })),
    sites: mapped(file.sites, ({ networks, assistant }): Site => ({ networks, assistant })),
    riskClasses: file.risk_classes,
    sanctionedOnly: file.mode === 'sanctioned-only',
    lists: toLists(file.lists, path),
    rules: (file.rules ?? []).map((entry) => toRule(entry, file)),
    ...(file.rules === undefined && { rulesLeftOut: true as const }),
    exceptions: file.exceptions.map((entry) => toException(entry, file)),
    defaults: {
      unlisted: defaults.unlisted,
      catalogue: defaults.catalogue,
      ...(defaults.unknown_model !== undefined && { unknownModel: defaults.unknown_model }),
      manner: defaults.manner,
      redirect: defaults.redirect,
      rawAddress: defaults.raw_address,
      ...(defaults.ech !== undefined && { ech: defaults.ech }),
      echPublicNames: defaults.ech_public_names,
      onChange: defaults.open_tunnels,
    },
  };
}
