"""Addresses below the root: /boundaries/NC-RB/4/... and the public /verify/."""

from django.urls import URLPattern, URLResolver, include, path

from .views import (
    comparing,
    copy,
    disputes,
    documents,
    drafting,
    exceptions,
    reading,
    signatures,
    signing,
    step_up,
    succession,
    verify,
)

app_name = "boundaries"

_revision: list[URLPattern | URLResolver] = [
    path("", reading.revision, name="revision"),
    path("", include("boundaries.row_urls")),
    path("articles/<int:article_number>/", drafting.article, name="article"),
    path("", include("boundaries.thread_urls")),
    path("", include("boundaries.board_urls")),
    path("confirm-predecessors/", succession.confirm_predecessors, name="confirm_predecessors"),
    path("freeze/", drafting.freeze, name="freeze"),
    path("", include("boundaries.veto_urls")),
    path("", include("boundaries.exchange_urls")),
    path("rows/<int:position>/escalate/", disputes.escalate, name="escalate"),
    path("sign/", signing.sign, name="sign"),
    path("sign/<int:intent_id>/", signing.sign_confirm, name="sign_confirm"),
    path("approve/", signing.approve, name="approve"),
    path("approve/<int:intent_id>/", signing.approve_confirm, name="approve_confirm"),
    path("ceremony/<int:intent_id>/renew/", signing.renew, name="renew_signing"),
    path("ceremony/<int:intent_id>/confirm/", step_up.step_up_out, name="step_up"),
    path("copy/<int:page>/", copy.copy_page, name="copy_page"),
    path("copy/<str:token>/<int:page>.png", copy.copy_image, name="copy_image"),
    path("copy/<str:token>/<int:page>-large.png", copy.copy_image_large, name="copy_image_large"),
    path("decline/", signing.decline, name="decline"),
    path("return/", signing.return_, name="return"),
    path("withdraw/", signing.withdraw, name="withdraw"),
    path("acknowledge/", reading.acknowledge, name="acknowledge"),
    path("text/", reading.text, name="text"),
    path("signing-copy.pdf", signing.signing_copy, name="signing_copy"),
    path("sealed.pdf", reading.sealed_pdf, name="sealed_pdf"),
    path("evidence.zip", reading.evidence_bundle, name="evidence_bundle"),
    path("qr.svg", reading.qr, name="qr"),
    path("exception/", exceptions.choose, name="choose_exception"),
    path("exception/<int:position>/", exceptions.ask, name="request_exception"),
]

urlpatterns = [
    path("boundaries/", documents.documents, name="documents"),
    path("boundaries/open/", documents.open_document, name="open"),
    path("boundaries/<slug:number>/", documents.document, name="document"),
    path("boundaries/<slug:number>/compare/", comparing.compare, name="compare"),
    path("boundaries/<slug:number>/compare.pdf", comparing.compare_pdf, name="compare_pdf"),
    path("boundaries/<slug:number>/<int:n>/", include(_revision)),
    # One address for all signings: it is registered at the issuer.
    path("signing/confirmed/", step_up.step_up_back, name="step_up_back"),
    path("signatures/", signatures.listed, name="my_signatures"),
    path("signatures/<int:pk>/", signatures.one, name="my_signature"),
    path("signatures/<int:pk>/evidence.json", signatures.evidence, name="my_evidence"),
    path("signatures/<int:pk>/signing-copy.pdf", signatures.copy, name="my_signing_copy"),
    path("signatures/<int:pk>/sealed.pdf", signatures.sealed, name="my_sealed_pdf"),
    path("takeovers/", succession.successions, name="successions"),
    path("takeovers/<int:pk>/", succession.one, name="succession"),
    path("disputes/", include("boundaries.dispute_urls")),
    path("exceptions/", exceptions.listed, name="exceptions"),
    path("exceptions/<int:pk>/", exceptions.one, name="exception"),
    path("exceptions/<int:pk>/take-back/", exceptions.take_back, name="take_back_exception"),
    path("archive/", include("boundaries.archive_urls")),
    path("log/", include("boundaries.log_urls")),
    path("verify/", verify.verify, name="verify"),
    path("verify/verifier.pyz", verify.verifier, name="verifier"),
]
