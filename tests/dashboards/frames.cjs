// What Grafana's own code makes of an answer of Prometheus. Asked on standard input, answered on standard output, in JSON.
// Some of its imports are not needed for that, and an empty module stands in for them: the React editor of its annotations,
// and ES modules (Markdown, gradients) where Node cannot require any: before 20.19, as Debian 12's.
'use strict';
const { Module, createRequire } = require('node:module');
const path = require('node:path');
const { readFileSync } = require('node:fs');

const folder = process.argv[2];
const from = createRequire(path.join(folder, 'package.json'));
const { JSDOM } = from('jsdom');

const { window } = new JSDOM('');
Object.assign(globalThis, { window, document: window.document });
globalThis.navigator ??= window.navigator; // newer ones of Node have one

const load = Module._load;
Module._load = function (name, parent, main) {
  if (name.endsWith('AnnotationQueryEditor.cjs')) return {};
  try {
    return load.call(this, name === 'rxjs' || name.startsWith('@grafana/') ? from.resolve(name) : name, parent, main);
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM') throw error;
    return {};
  }
};
const data = from('@grafana/data');
const { lastValueFrom } = from('rxjs');
const { PrometheusAnnotationSupport } = require(path.join(folder, 'prometheus', 'package', 'dist', 'cjs', 'annotations.cjs'));

function frame(series, step) {
  return data.toDataFrame({
    meta: { executedQueryString: `Expr: x\nStep: ${step}` },
    fields: [
      { name: 'Time', type: data.FieldType.time, values: series.values.map(([seconds]) => seconds * 1000) },
      { name: 'Value', type: data.FieldType.number, labels: series.metric, values: series.values.map(([, value]) => Number(value)) },
    ],
  });
}

function events({ annotation, series, step }) {
  const support = PrometheusAnnotationSupport({});
  const prepared = support.prepareAnnotation(structuredClone(annotation));
  const found = [];
  support.processEvents(prepared, series.map((one) => frame(one, step))).subscribe((made) => found.push(...made));
  return {
    target: prepared.target,
    events: found.map(({ time, timeEnd, title, text, tags }) => ({ time, timeEnd, title, text: data.textUtil.sanitize(text), tags })),
  };
}

// As the data source lays out an instant answer in the form of a table.
function table(series) {
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.metric)))].sort();
  return data.toDataFrame({
    refId: 'A',
    fields: [
      { name: 'Time', type: data.FieldType.time, values: series.map((one) => one.value[0] * 1000) },
      ...labels.map((name) => ({ name, type: data.FieldType.string, values: series.map((one) => one.metric[name] ?? '') })),
      { name: 'Value', type: data.FieldType.number, values: series.map((one) => Number(one.value[1])) },
    ],
  });
}

const PROCESSORS = {
  displayName: data.displayNameOverrideProcessor,
  unit: data.unitOverrideProcessor,
  links: data.dataLinksOverrideProcessor,
  mappings: data.valueMappingsOverrideProcessor,
  thresholds: data.thresholdsOverrideProcessor,
};

async function rows({ panel, series }) {
  const registry = new data.FieldConfigOptionsRegistry(() =>
    Object.entries(PROCESSORS).map(([id, process]) => ({ id, path: id, name: id, process, shouldApply: () => true, settings: {}, override: () => null, editor: () => null }))
  );
  const context = { interpolate: (text) => text };
  const found = await lastValueFrom(data.transformDataFrame(panel.transformations, [table(series)], context));
  const theme = data.createTheme();
  const shown = data.applyFieldOverrides({ data: found, fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry, replaceVariables: (text) => text, theme, timeZone: 'utc' });
  const [one] = shown;
  return {
    columns: one.fields.map((field) => data.getFieldDisplayName(field, one, shown)),
    rows: Array.from({ length: one.length }, (_, row) =>
      one.fields.map((field) => {
        const display = field.display(field.values[row]);
        return { text: data.formattedValueToString(display), color: display.color };
      })
    ),
    // What `${__data.fields.x}` in a link reads.
    fields: Array.from({ length: one.length }, (_, row) => {
      const proxy = data.getFieldDisplayValuesProxy({ frame: one, rowIndex: row });
      return { domain: proxy.domain ? String(proxy.domain) : null };
    }),
  };
}

data.standardTransformersRegistry.setInit(() =>
  [...new Map(Object.values(data.standardTransformers).map((one) => [one.id, one])).values()].map((transformation) => ({
    id: transformation.id,
    name: transformation.name,
    transformation: () => transformation,
  }))
);
const asked = JSON.parse(readFileSync(0, 'utf8'));
Promise.all(asked.map((one) => (one.annotation ? events(one) : rows(one)))).then((made) => process.stdout.write(JSON.stringify(made)));
