from __future__ import annotations

import pytest

from exporter.runbooks import Section
from exporter.runbooks.rendering import rendered


def test_html_in_markdown_is_shown_and_never_passed_on():
    html, _ = rendered('<script>alert(1)</script>\n\na <img src="x" onerror="y"> b\n\n```sh\nnc <host> & echo\n```\n')

    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert "nc &lt;host&gt; &amp; echo" in html


@pytest.mark.parametrize("target", ["javascript:alert(1)", "vbscript:x", "data:text/html,x", "file:///etc/passwd"])
def test_links_that_could_run_something_are_no_links(target):
    html, _ = rendered(f"[here]({target})")

    assert "<a" not in html


def test_headings_have_anchors_that_are_unique_on_the_page():
    html, sections = rendered("## What now?\n\n### nginx\n\n## What now\n\n### `nginx`\n\n## !\n")

    assert sections == (
        Section("what-now", "What now?"),
        Section("what-now-2", "What now"),
        Section("section", "!"),
    )
    assert '<h3 id="nginx">nginx</h3>' in html
    assert '<h3 id="nginx-2"><code>nginx</code></h3>' in html


def test_links_and_code_are_rendered():
    html, _ = rendered("[421](421) and `a`\n\n```nginx\nlisten 443;\n```\n")

    assert '<a href="421">421</a>' in html
    assert "<code>a</code>" in html
    assert '<pre><code class="language-nginx">listen 443;\n</code></pre>' in html
