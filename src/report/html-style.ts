// How a report's page looks: one style sheet for light and dark, wide and narrow, screen and paper.
//
// Colours by meaning, from a blue and an orange that differ in lightness too, so that they are told apart by those who
// see
// no colours and on grey paper: in light dark blue and light orange, in dark the other way round.

export const STYLE = `
:root {
  --page: #ffffff; --card: #f6f7f9; --text: #1a1d21; --faint: #5a626c; --line: #dde1e6; --link: #0b5cad;
  --positive: #0b4f94; --negative: #ef8a2b; --zero: #d5dade; --plain: #3f6f9f; --other: #a9b4c0; --onshade: #ffffff;
  --warn: #fff4e2; --warnline: #e0a34a; --focus: #0b5cad; --edge: #1a1d2152;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2126; --text: #e8eaed; --faint: #a3acb7; --line: #343a42; --link: #85baf5;
    --positive: #7cc0ff; --negative: #c4650f; --zero: #3b424b; --plain: #6f9fcf; --other: #56616d; --onshade: #101316;
    --warn: #2d2415; --warnline: #b9812f; --focus: #9ecbff; --edge: #9ecbff66;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 4rem; max-width: 84rem;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 0; overflow-wrap: break-word; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .75rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .5rem 0; max-width: 46rem; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.subtitle { color: var(--faint); margin: .35rem 0 0; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; background: var(--page); padding: .4rem .8rem; z-index: 2; }

nav { margin: 1.25rem 0; font-size: .9rem; }
nav ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .35rem .5rem; }
nav a { display: block; padding: .25rem .7rem; border: 1px solid var(--line); border-radius: 99px; text-decoration: none; }
nav a:hover { background: var(--card); }
section { margin-top: 2.75rem; scroll-margin-top: 1rem; }
@media (min-width: 72rem) {
  .columns { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: 2.5rem; }
  nav { position: sticky; top: 1.5rem; align-self: start; margin-top: 1.75rem; }
  nav ol { flex-direction: column; gap: .1rem; border-left: 2px solid var(--line); }
  nav a { border: 0; border-radius: 0 4px 4px 0; padding: .3rem .8rem; }
}

.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14rem), 1fr)); gap: .75rem; margin-top: 1.25rem; }
.tile { background: var(--card); border-radius: 10px; padding: .9rem 1.1rem; }
.tile p { margin: 0; }
.tile .name { color: var(--faint); font-size: .85rem; }
.tile .value { font-size: 1.15rem; font-weight: 650; line-height: 1.4; text-wrap: balance; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
.tile .note { font-size: .85rem; color: var(--faint); }
@media (max-width: 34rem) {
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .5rem; }
  .tile { padding: .7rem .8rem; }
  .tile .value { font-size: 1.05rem; }
}
.warnings { background: var(--warn); border-left: 4px solid var(--warnline); border-radius: 4px; padding: .7rem 1rem; margin-top: 1.25rem; }
.warnings p { margin: 0; font-weight: 600; }
.warnings ul { margin: .25rem 0 0; padding-left: 1.2rem; overflow-wrap: anywhere; }

dl { margin: 0; display: grid; gap: 0; }
dl > div { display: grid; grid-template-columns: minmax(7rem, 11rem) minmax(0, 1fr); gap: 1rem; padding: .4rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: break-word; }
@media (max-width: 34rem) { dl > div { grid-template-columns: 1fr; gap: 0; } dt { font-size: .85rem; } }

/* A shadow at each end behind which there is more: what moves with the content covers it where there is not. */
.scroll {
  overflow-x: auto; max-width: 100%; scrollbar-width: thin;
  background:
    linear-gradient(to right, var(--page) 40%, transparent) left / 2rem 100% no-repeat local,
    linear-gradient(to left, var(--page) 40%, transparent) right / 2rem 100% no-repeat local,
    linear-gradient(to right, var(--edge), transparent) left / .75rem 100% no-repeat scroll,
    linear-gradient(to left, var(--edge), transparent) right / .75rem 100% no-repeat scroll;
}
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; margin: .5rem 0; }
caption { text-align: left; color: var(--faint); font-size: .85rem; padding-bottom: .35rem; }
th, td { text-align: left; padding: .32rem .75rem .32rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
thead th { color: var(--faint); font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 500; min-width: 8rem; overflow-wrap: break-word; }
.number { text-align: right; white-space: nowrap; }
table.bars { width: 100%; }
.bars td.bar { width: 45%; min-width: 6rem; vertical-align: middle; }
.bars thead td { border-bottom: 1px solid var(--line); }
.bar svg { display: block; width: 100%; height: .85rem; }
.bars .note { display: block; color: var(--faint); font-weight: 400; font-size: .8rem; }
@media (max-width: 34rem) {
  table { font-size: .82rem; }
  th, td { padding-right: .5rem; }
  .bars td.bar { width: 28%; min-width: 4rem; }
  tbody th { min-width: 7rem; }
}

.keys { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .25rem 0; padding: 0; font-size: .85rem; color: var(--faint); }
.key { display: inline-block; width: .85em; height: .85em; margin-right: .4em; border-radius: 2px; vertical-align: -.08em; }
.key.positive { background: var(--positive); } .key.negative { background: var(--negative); }
.key.zero { background: var(--zero); } .key.plain { background: var(--plain); } .key.other { background: var(--other); }
.key.dashed { height: 0; border-top: 3px dashed; background: none; vertical-align: .25em; width: 1.4em; border-radius: 0; }
.key.dashed.negative { border-color: var(--negative); } .key.dashed.positive { border-color: var(--positive); }
.key.dashed.plain { border-color: var(--plain); }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1.5rem 2rem; margin: .75rem 0; }
figure { margin: 0; min-width: 0; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: .5rem 2.5rem; align-items: start; }
.beside > * { min-width: 0; }
.chart figcaption { font-weight: 600; font-size: .92rem; margin-bottom: .25rem; }
.chart svg { display: block; width: 100%; height: auto; max-width: 36rem; overflow: visible; }
.chart .description { font-size: .82rem; color: var(--faint); margin: .15rem 0; }
svg.square { max-width: 17rem; }
svg text { font-size: 12px; fill: var(--faint); font-variant-numeric: tabular-nums; }
svg text.strong { fill: var(--text); font-weight: 600; paint-order: stroke; }
.chart svg text.strong { stroke: var(--page); stroke-width: 3px; stroke-opacity: .7; }
svg .fill + text.strong { stroke: none; }
svg text.onshade { fill: var(--onshade); font-weight: 600; }
.grid { stroke: var(--line); fill: none; } .axis { stroke: var(--faint); fill: none; }
.outline { fill: none; stroke: var(--line); }
.mark { stroke: var(--text); stroke-dasharray: 4 3; fill: none; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; } .line.dashed { stroke-dasharray: 7 4; }
.dots { fill: none; stroke-width: 6; stroke-linecap: round; }
.line.positive, .dots.positive, .cells.positive { stroke: var(--positive); }
.line.negative, .dots.negative, .cells.negative { stroke: var(--negative); }
.line.plain, .dots.plain { stroke: var(--plain); }
.line.other, .dots.other { stroke: var(--other); }
.cells.zero { stroke: var(--zero); }
.cells { fill: none; stroke-width: 1.04; }
.fill.positive { fill: var(--positive); } .fill.negative { fill: var(--negative); } .fill.zero { fill: var(--zero); }
.fill.plain { fill: var(--plain); } .fill.other { fill: var(--other); }

section > .pictures + details, .scroll + details { margin-top: 1.25rem; }
details { border-bottom: 1px solid var(--line); }
summary { cursor: pointer; padding: .45rem 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; align-items: baseline; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary .title::before { content: "\\25B8"; color: var(--faint); display: inline-block; width: 1.1em; transition: transform .1s; }
details[open] > summary .title::before { content: "\\25BE"; }
summary .title { font-weight: 550; overflow-wrap: break-word; }
summary .note { color: var(--faint); font-size: .87rem; font-variant-numeric: tabular-nums; }
summary:hover .title { text-decoration: underline; }
.folded { padding: .25rem 0 1.25rem; }
.chart details { border: 0; font-size: .85rem; }
.chart .folded { padding-bottom: 0; }
pre { background: var(--card); border-radius: 6px; padding: .8rem 1rem; margin: .5rem 0; font-size: .88rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre .whole { white-space: nowrap; }

.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.25rem, 1fr)); gap: 1rem; }
.pictures img { image-rendering: pixelated; max-width: 100%; height: auto; display: block; border-radius: 4px; background: var(--card); }
.pictures figcaption { font-size: .82rem; color: var(--faint); margin-top: .3rem; overflow-wrap: break-word; }
.pictures .note { display: block; }
.pictures:has(> :only-child) { display: block; }

@media print {
  :root { --page: #fff; --card: #f4f4f4; --text: #000; --faint: #444; --line: #ccc; --link: #000;
    --positive: #0b4f94; --negative: #ef8a2b; --zero: #d5dade; --plain: #3f6f9f; --other: #a9b4c0; --onshade: #fff; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav, .skip { display: none; }
  .columns { display: block; }
  section { margin-top: 1.5rem; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  .tile { padding: .5rem .7rem; }
  .tile .value { font-size: 11pt; }
  figure, .tile, tr { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  .charts { grid-template-columns: 1fr 1fr; }
  .scroll { overflow: visible; background: none; }
  svg, img, .key { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  .chart details { display: none; }
}
`
  .replace(/\n\s*/g, '\n')
  .trim()
