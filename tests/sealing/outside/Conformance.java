import java.io.FileInputStream;
import java.io.InputStream;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/**
 * Asks veraPDF whether files conform: `Conformance 3a,ua1 FILE...`.
 *
 * One line for each file and profile, "verdict TAB profile TAB file TAB PASS or FAIL TAB checks",
 * then one for each broken rule, "broken TAB profile TAB file TAB clause TAB place TAB message".
 */
public final class Conformance {
    private static final int MOST_BROKEN = 500;

    public static void main(String[] arguments) throws Exception {
        LogManager.getLogManager().reset();
        VeraGreenfieldFoundryProvider.initialise();
        for (int index = 1; index < arguments.length; index++) {
            for (String profile : arguments[0].split(",")) {
                judge(arguments[index], profile);
            }
        }
    }

    private static void judge(String file, String profile) throws Exception {
        PDFAFlavour flavour = PDFAFlavour.byFlavourId(profile);
        try (InputStream data = new FileInputStream(file);
                PDFAParser parser = Foundries.defaultInstance().createParser(data, flavour);
                PDFAValidator validator = Foundries.defaultInstance()
                        .createValidator(flavour, MOST_BROKEN, false, true, false)) {
            ValidationResult result = validator.validate(parser);
            say("verdict", profile, file, result.isCompliant() ? "PASS" : "FAIL",
                    String.valueOf(result.getTotalAssertions()));
            for (TestAssertion one : result.getTestAssertions()) {
                if (one.getStatus() == TestAssertion.Status.FAILED) {
                    say("broken", profile, file,
                            one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber(),
                            one.getLocation().getContext(), one.getMessage());
                }
            }
        }
    }

    private static void say(String... parts) {
        for (int index = 0; index < parts.length; index++) {
            parts[index] = parts[index].replaceAll("\\s+", " ");
        }
        System.out.println(String.join("\t", parts));
    }
}
