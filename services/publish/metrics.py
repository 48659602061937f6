"""What publish counts beside what every service does: rendering and what waits for it."""

from prometheus_client import Counter, Gauge, Histogram

SUBMIT_TO_VISIBLE = Histogram(
    "submit_to_visible_seconds",
    "From the approval of an edition to its rendered public page",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60),
)
RENDER_BATCH = Histogram("sanwu_publish_render_batch_seconds", "One run of the renderer: read, render, write, fsync")
RENDERED = Counter("sanwu_publish_rendered_bodies_total", "Bodies rendered and written", ("kind",))
DIRTY = Gauge("sanwu_publish_dirty_marks", "Marks that wait for the renderer, as of its last look")
RENDER_FAILURES = Counter("sanwu_publish_render_failures_total", "Subjects that could not be rendered", ("kind",))
HOT_ANSWERS = Counter("sanwu_publish_hot_answers_total", "Answers from rendered bodies, counted in steps of 64")
HOT_BYTES = Gauge("sanwu_publish_hot_cache_bytes", "Rendered bodies kept in memory")
CLEAR = Gauge("sanwu_publish_clear_rows", "Editions that still rest in clear; 0 once all of an older city are sealed")
LISTENERS = Gauge("sanwu_publish_listeners", "Streams of changes that are open in this process")
