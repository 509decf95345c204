// What Grafana's types say of the parts of a dashboard and of alert rules: read by a generator of JSON schemas.
import type * as alerting from '@grafana/grafana-foundation-sdk/alerting';
import type * as barchart from '@grafana/grafana-foundation-sdk/barchart';
import type * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type * as expr from '@grafana/grafana-foundation-sdk/expr';
import type * as gauge from '@grafana/grafana-foundation-sdk/gauge';
import type * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import type * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import type * as statushistory from '@grafana/grafana-foundation-sdk/statushistory';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import type * as text from '@grafana/grafana-foundation-sdk/text';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { GroupingToMatrixTransformerOptions } from '@grafana/data';
// The package does not offer these two by name.
import type * as transformations from './node_modules/@grafana/data/dist/types/internal';
import type { DataLink } from './node_modules/@grafana/schema/dist/types/schema/dashboard/v2/types.spec.gen';

// Queries have a method that only the compiler reads.
type Query<T> = Omit<T, '_implementsDataqueryVariant'>;

export interface Shapes {
  // What is looked at apart, by a shape of its own, is `unknown` in the whole.
  dashboard: Omit<dashboard.Dashboard, 'panels' | 'annotations'> & { panels?: unknown[]; annotations: { list?: unknown[] } };
  row: Omit<dashboard.RowPanel, 'panels'> & { panels: unknown[] };
  panel: Omit<dashboard.Panel, 'targets' | 'fieldConfig'> & {
    targets?: unknown[];
    fieldConfig?: { defaults: unknown; overrides: dashboard.FieldConfigSource['overrides'] };
  };
  // The SDK takes the links of a field for those of a dashboard, which have other keys.
  field: Omit<dashboard.FieldConfig, 'links'> & { links?: DataLink[] };
  annotation: Omit<dashboard.AnnotationQuery, 'target'> & { target?: unknown };
  prometheus: Query<prometheus.Dataquery>;
  threshold: Query<expr.TypeThreshold>;
  // A file may name the panel that shows an alert; the API does not ask for it.
  rule: Omit<alerting.Rule, 'data'> & { data: (Omit<alerting.Query, 'model'> & { model: unknown })[]; dashboardUid?: string; panelId?: number };
  contactPoint: alerting.ContactPoint;
  policy: alerting.NotificationPolicy;
  template: alerting.NotificationTemplate;
  // By the names that a dashboard calls plugins and transformations.
  options: {
    barchart: barchart.Options;
    bargauge: bargauge.Options;
    gauge: gauge.Options;
    heatmap: heatmap.Options;
    stat: stat.Options;
    'state-timeline': statetimeline.Options;
    'status-history': statushistory.Options;
    table: table.Options;
    text: text.Options;
    timeseries: timeseries.Options;
  };
  custom: {
    barchart: barchart.FieldConfig;
    heatmap: heatmap.FieldConfig;
    'state-timeline': statetimeline.FieldConfig;
    'status-history': statushistory.FieldConfig;
    table: table.FieldConfig;
    timeseries: timeseries.FieldConfig;
  };
  transformations: {
    filterFieldsByName: transformations.FilterFieldsByNameTransformerOptions;
    groupingToMatrix: GroupingToMatrixTransformerOptions;
    merge: transformations.MergeTransformerOptions;
    organize: transformations.OrganizeFieldsTransformerOptions;
  };
}
