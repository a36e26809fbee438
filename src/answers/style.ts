/** The style sheet of all pages, for light and dark mode, widths from 320 px, and print. It loads nothing else. */
import { brandRules } from './brand.ts';
import { sha256 } from './context.ts';

/** Seconds until a page redirects. */
export const ONWARD_SECONDS = 8;

const colours = `
:root{color-scheme:light dark;--ground:#f4f5f8;--card:#fff;--sunk:#f4f6fa;--text:#171d2b;--soft:#525d72;--line:#dde2ea;
--link:#1b50b8;--act:#1d4fd7;--act-over:#173fae;--on-act:#fff;--halt:#96330b;--halt-ground:#fdeee5;--halt-line:#f3cdb8;
--good:#17613a;--good-ground:#e7f5ec;--good-line:#bfe2cd;
--shade:0 1px 2px rgb(23 29 43/.05),0 12px 36px -12px rgb(23 29 43/.14)}
@media (prefers-color-scheme:dark){:root{--ground:#0e1219;--card:#171c26;--sunk:#11161f;--text:#e9edf5;--soft:#a4afc2;
--line:#2b3342;--link:#9dbdff;--act:#9dbdff;--act-over:#c0d5ff;--on-act:#0c1630;--halt:#ffb894;--halt-ground:#37211a;
--halt-line:#5c382b;--good:#8fdcaf;--good-ground:#15291f;--good-line:#28503b;--shade:0 0 0 1px #232a37}}`;

const ground = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;min-height:100vh;display:flex;flex-direction:column;background:var(--ground);color:var(--text);
font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif;overflow-wrap:anywhere}
bdi{unicode-bidi:isolate}
a{color:var(--link);text-underline-offset:.18em}
:focus-visible{outline:3px solid var(--link);outline-offset:3px;border-radius:4px}
.skip{position:absolute;left:-100rem}
.skip:focus{left:1rem;top:1rem;padding:.5rem 1rem;background:var(--card)}
.top,.foot,main{width:100%;max-width:46rem;margin:0 auto;padding:0 1.25rem}
.wide .top,.wide .foot,.wide main{max-width:60rem}
.top{display:flex;align-items:center;gap:.65rem;padding-top:1.5rem;padding-bottom:1.25rem;font-weight:650}
.top svg{flex:none;width:1.9rem;height:1.9rem;color:var(--act)}
.top img{flex:none;width:auto;height:2.2rem;max-width:11rem;object-fit:contain}
.top .room{margin-left:auto;color:var(--soft);font-weight:450;font-size:.875rem;text-align:right}
.foot{margin-top:auto;padding-top:1.5rem;padding-bottom:1.75rem;color:var(--soft);font-size:.875rem}
main{flex:0 1 auto}`;

const parts = `
.card{background:var(--card);border:1px solid var(--line);border-radius:16px;box-shadow:var(--shade);
padding:clamp(1.35rem,5vw,2.75rem)}
.card+.card{margin-top:1.25rem}
.badge{display:inline-flex;align-items:center;gap:.5rem;margin:0 0 1rem;padding:.22rem .8rem .22rem .6rem;border-radius:99px;
border:1px solid var(--line);background:var(--sunk);color:var(--soft);font-size:.875rem;font-weight:600;line-height:1.5}
.badge svg{flex:none;width:1.05rem;height:1.05rem}
.halt{background:var(--halt-ground);border-color:var(--halt-line);color:var(--halt)}
.good{background:var(--good-ground);border-color:var(--good-line);color:var(--good)}
h1{margin:0 0 .7rem;font-size:clamp(1.5rem,1.1rem + 2vw,2rem);line-height:1.2;letter-spacing:-.018em;font-weight:700;
text-wrap:balance}
h2{margin:0 0 .6rem;font-size:1.125rem;line-height:1.35;letter-spacing:-.006em}
h3{margin:1.4rem 0 .35rem;font-size:1rem}
p{margin:0 0 1rem}
.lead{font-size:1.09rem;color:var(--text)}
.soft{color:var(--soft)}
.small{font-size:.9rem}
.onward{margin:1.6rem 0;padding:1.25rem;border:1px solid var(--line);border-radius:12px;background:var(--sunk)}
.onward p:last-child,.card>:last-child,.ask>:last-child,details>:last-child{margin-bottom:0}
.button{display:inline-flex;align-items:center;justify-content:center;gap:.6rem;min-height:3rem;padding:.65rem 1.5rem;
border-radius:10px;background:var(--act);color:var(--on-act);font-weight:650;line-height:1.35;text-decoration:none}
.button span{min-width:0}
.button:hover{background:var(--act-over)}
.button svg{flex:none;width:1.1rem;height:1.1rem}
.wait{height:4px;margin:1.1rem 0 .75rem;border-radius:4px;background:var(--line);overflow:hidden}
.wait span{display:block;height:100%;border-radius:4px;background:var(--act);transform-origin:left;
animation:wait ${ONWARD_SECONDS}s linear both}
@keyframes wait{from{transform:scaleX(0)}}
.facts{margin:0;display:grid;grid-template-columns:minmax(7rem,auto) 1fr;font-size:.95rem}
.facts dt,.facts dd{margin:0;padding:.55rem 0;border-top:1px solid var(--line)}
.facts dt{color:var(--soft);padding-right:1.5rem}
p+.facts{margin-top:1.5rem}
.ask{margin-top:1.5rem;padding-top:1.25rem;border-top:1px solid var(--line)}
code,pre{font-family:ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:.9em}
code{padding:.1em .35em;border-radius:5px;background:var(--sunk);border:1px solid var(--line)}
pre{margin:.4rem 0 1rem;padding:.85rem 1rem;border:1px solid var(--line);border-radius:10px;background:var(--sunk);
overflow-x:auto;line-height:1.6;overflow-wrap:normal;tab-size:2}
pre code{padding:0;border:0;background:none;font-size:1em;user-select:all}
.wrap{font-size:.84em;white-space:pre-wrap;overflow-wrap:anywhere}
.row{display:flex;flex-wrap:wrap;gap:.75rem 1.25rem;align-items:center}
details{border-top:1px solid var(--line);padding:.95rem 0}
details:last-of-type{padding-bottom:0}
summary{cursor:pointer;font-weight:650}
details[open] summary{margin-bottom:.75rem}
ul{margin:0 0 1rem;padding-left:1.25rem}
li+li{margin-top:.3rem}`;

const media = `
@media (max-width:30rem){.badge{font-size:.8125rem}.facts{grid-template-columns:1fr}.facts dt{padding-bottom:0}.facts dd{border-top:0;padding-top:0}
.button{width:100%;padding-left:1rem;padding-right:1rem}.top .room{display:none}.card{border-radius:12px}.top,.foot,main{padding-left:.85rem;padding-right:.85rem}}
@media (prefers-reduced-motion:reduce){.wait{display:none}}
@media (forced-colors:active){.button{border:2px solid}.badge,.card{border:1px solid}}
@media print{:root{color-scheme:light;--ground:#fff;--card:#fff;--sunk:#fff;--text:#000;--soft:#333;--line:#bbb;--link:#000;
--shade:none;--halt:#000;--halt-ground:#fff;--halt-line:#000;--good:#000;--good-ground:#fff}
.wait,.skip,.timed{display:none}.card{border:0;padding:0}.top,.foot,main{max-width:none;padding-left:0;padding-right:0}
.button{background:none;color:#000;border:1px solid #000;flex-wrap:wrap}.button svg{display:none}
a[href^="http"]::after{content:" (" attr(href) ")";font-weight:400;font-size:.85em}
pre{white-space:pre-wrap}.card,.onward{break-inside:avoid}}`;

const plain = [colours, ground, parts, media].join('').replaceAll('\n', '');

/** A style sheet, and the Content-Security-Policy that allows nothing else. */
export interface Skin {
  readonly sheet: string;
  /** For pages served at an origin's address, which may be in another site's frame like the origin's own pages. */
  readonly framedCsp: string;
  /** For the pages port's own pages. */
  readonly ownCsp: string;
}

/** @param look the company's colour as `#rrggbb` and its logo as a `data:` URL, if it has them. */
export function createSkin(look: { readonly colour?: string | null; readonly logo?: string | null }): Skin {
  const sheet = look.colour == null ? plain : plain + brandRules(look.colour);
  const pictures = look.logo == null ? '' : ' img-src data:;';
  const framedCsp = `default-src 'none'; style-src 'sha256-${sha256(sheet)}';${pictures} base-uri 'none'; form-action 'none'`;
  return { sheet, framedCsp, ownCsp: `${framedCsp}; frame-ancestors 'none'` };
}
