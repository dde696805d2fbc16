/** The player's looks; colours and sizes that pages may change are custom properties. */
export const STYLES = `
:host { display: block; position: relative; min-height: 8rem; }
:host([hidden]) { display: none; }
.player {
  --paper: var(--lgi-background, #16181d);
  --ink: var(--lgi-ink, #eef0f4);
  --accent: var(--lgi-accent, #6cb6ff);
  position: absolute; inset: 0; display: grid; grid-template-rows: minmax(0, 1fr) auto;
  background: var(--paper); color: var(--ink); overflow: hidden;
  font: 14px/1.4 system-ui, sans-serif;
}
.player.dropping::after {
  content: ''; position: absolute; inset: 4px; border: 2px dashed var(--accent); pointer-events: none;
}
.place { position: relative; min-height: 0; min-width: 0; overflow: hidden; }
.place > * { position: absolute; inset: 0; }
.place > * > * { position: absolute; inset: 0; }
.surface { background: var(--paper); }
.surface[hidden] { display: none; }
.surface canvas { width: 100%; height: 100%; display: block; }
.plane canvas, .wave canvas {
  position: absolute; inset: 0; width: 100%; height: 100%; display: block; touch-action: none; cursor: grab;
}
.paper {
  position: absolute; pointer-events: none; background: repeating-conic-gradient(#8883 0% 25%, transparent 0% 50%) 0 0 / 16px 16px;
}
.plane canvas:active { cursor: grabbing; }
.plane.selecting canvas, .wave canvas { cursor: crosshair; }
canvas:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
.selection {
  position: absolute; box-sizing: border-box; border: 2px solid var(--accent); pointer-events: none;
  background: color-mix(in srgb, var(--accent) 18%, transparent);
}
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; padding: 4px 6px; min-width: 0; background: #0004; }
.group { display: contents; }
.gap { flex: 1; }
.bar select { max-width: 8rem; }
.bar output { font-variant-numeric: tabular-nums; white-space: nowrap; padding: 0 6px; }
.bar input[type='range'] { flex: 1 1 5rem; width: 5rem; min-width: 3rem; max-width: 12rem; accent-color: var(--accent); }
button, select {
  font: inherit; color: inherit; background: #fff1; border: 1px solid #fff3; border-radius: 5px;
  min-width: 2.1rem; height: 2rem; padding: 0 0.5rem; cursor: pointer;
}
select option { color: #111; }
button:hover { background: #fff3; }
button[aria-pressed='true'] { background: var(--accent); color: #10141a; }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.message {
  position: absolute; left: 12px; right: 12px; bottom: 52px; max-width: 44rem; margin: auto;
  background: #5b1a1ef2; border: 1px solid #ff8a80; border-radius: 8px; padding: 10px 44px 12px 14px;
}
.message[hidden], .notice[hidden], .statistics[hidden] { display: none; }
.message p { margin: 2px 0 8px; overflow-wrap: anywhere; }
.message button[aria-label='Close'] { position: absolute; top: 8px; right: 8px; }
.notice { position: absolute; top: 10px; left: 50%; transform: translateX(-50%); background: #000b; border-radius: 6px; padding: 4px 10px; }
.statistics { position: absolute; top: 8px; left: 8px; margin: 0; padding: 8px 10px; background: #000b; border-radius: 6px; font: 12px/1.5 ui-monospace, monospace; }
.player[data-state='loading'] .place::after {
  content: ''; position: absolute; left: 50%; top: 50%; width: 32px; height: 32px; margin: -16px; border-radius: 50%;
  border: 3px solid #fff3; border-top-color: var(--accent); animation: turn 1s linear infinite;
}

.player[data-state='empty'] .bar button:not(.open) { display: none; }
.player[data-state='empty'] .place::after {
  content: 'Drop an LGI file or a picture here'; position: absolute; inset: 12px; display: grid; place-items: center;
  border: 2px dashed #fff3; border-radius: 10px; color: #fff9;
}
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .player .place::after { animation: none !important; } }
.poster { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; pointer-events: none; }
.poster[hidden] { display: none; }
`;
